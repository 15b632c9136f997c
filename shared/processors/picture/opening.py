"""Opens and decodes a picture with Pillow, and sorts its failures into reasons."""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import (  # noqa: F401  (a plugin registers itself when imported)
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from shared.errors import BadFile
from shared.processors.picture import avif, bmp, gif, heic, jpeg, kinds, memory, orientation, png, svg, tiff, webp
from shared.processors.picture.colour import resizable
from shared.processors.picture.framing import Scale
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import check_size, corrupt, truncated, unsupported

#: Formats decoded row by row at a reduced size, or with one bit a pixel, may have so many times the limit.
FACTOR_OF_SMALL = 5
#: n → m: a JPEG is decoded at 1/n for a rendition of at most 1/m; closer to 1/n, its finest detail would be lost.
_REDUCTIONS = {8: 10, 4: 5, 2: 3}

# The limit is per step, and checked here.
Image.MAX_IMAGE_PIXELS = None
# Profiles in PNG; their size is checked before.
PngImagePlugin.MAX_TEXT_CHUNK = 64 << 20
# Reuse up to 64 MB of image buffers; reallocating costs 5 % of CPU.
Image.core.set_block_size(1 << 20)  # type: ignore[attr-defined]
Image.core.set_blocks_max(64)  # type: ignore[attr-defined]

#: Exceptions of Pillow's decoders for corrupt files. The file is complete and on local disk, so none of them means an outage.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, OverflowError, TypeError, RuntimeError, struct.error)
_SHORT = ("truncated", "not enough image data", "buffer is not large enough", "unexpected end of file")
_NO_MEMORY = ("out of memory", "cannot allocate memory")


_PREPARED = {
    "JPEG": jpeg.prepare,
    "PNG": png.prepare,
    "GIF": gif.prepare,
    "BMP": bmp.prepare,
    "AVIF": avif.prepare,
    "HEIF": heic.prepare,
}
_PREPARED_WITHIN = {"TIFF": tiff.prepare, "WEBP": webp.prepare, "SVG": svg.prepare}


def prepare(source: Path, max_pixels: int) -> Prepared:
    """Look at the container before Pillow does. Raises `BadFile`."""
    with source.open("rb") as stream:
        kind = kinds.format_of(stream.read(kinds.HEAD_BYTES))
    try:
        if kind in _PREPARED_WITHIN:
            return _PREPARED_WITHIN[kind](source, max_pixels)
        return _PREPARED[kind](source)
    except BadFile:
        raise
    except _BROKEN as error:
        raise corrupt("its container is not readable") from error


@contextlib.contextmanager
def opened(prepared: Prepared, max_pixels: int) -> Iterator[Any]:
    """The picture before its pixels are decoded. Raises `BadFile` for its faults, also for those inside the block."""
    try:
        with Image.open(prepared.file, formats=[prepared.format]) as picture:
            prepared.select(picture)
            is_small = prepared.format == "JPEG" or picture.mode == "1"
            check_size(*picture.size, max_pixels * FACTOR_OF_SMALL if is_small else max_pixels)
            orientation.forget_xmp(picture)
            yield picture
    except BadFile:
        raise
    except UnidentifiedImageError:
        raise _unidentified(prepared) from None
    except _BROKEN as error:
        raise _broken(prepared, error) from error


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture as stored, in a mode that can be resized; its turn upright; its size in full detail."""

    picture: Image.Image
    turn: Image.Transpose | None
    size: tuple[int, int]
    is_incomplete: bool = False


def load(prepared: Prepared, max_pixels: int, scale: Scale) -> Decoded:
    """Decode the picture, with no less detail than it needs at this scale. Raises `BadFile`."""
    memory.require(prepared.memory_bytes)
    with opened(prepared, max_pixels) as picture:
        size = picture.size
        _reduce(picture, scale)
        picture.load()
        orientation.forget_xmp(picture)
        turn = orientation.turn(picture)
        mended = resizable(prepared.mend(picture))
        if not prepared.crop:
            return Decoded(mended, turn, size)
        cropped = mended.crop(prepared.crop)
        return Decoded(cropped, turn, cropped.size)


@contextlib.contextmanager
def tolerating_loss() -> Iterator[None]:
    """Within it, Pillow decodes a truncated file as far as it goes."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _reduce(picture: Any, scale: Scale) -> None:
    """A JPEG is decoded at 1/2, 1/4 or 1/8; an SVG is drawn at the wanted size."""
    if picture.format == "SVG":
        factor = scale(picture.size)
        picture.wanted(tuple(max(1, round(length * factor)) for length in picture.size))
    if picture.format not in ("JPEG", "MPO"):
        return
    factor = scale(orientation.turned(picture.size, orientation.turn(picture)))
    if reduction := next((n for n, least in _REDUCTIONS.items() if least * factor <= 1), 0):
        picture.draft("RGB", tuple(max(1, length // reduction) for length in picture.size))


def _unidentified(prepared: Prepared) -> BadFile:
    if prepared.name:
        return unsupported(prepared.name)
    return truncated() if prepared.is_short or prepared.format in ("JPEG", "GIF") else corrupt("its header is not readable")


def _broken(prepared: Prepared, error: BaseException) -> BadFile:
    text = str(error).lower()
    if any(words in text for words in _NO_MEMORY):
        raise MemoryError(text)
    is_short = prepared.is_short or any(words in text for words in _SHORT)
    return truncated() if is_short else corrupt("its decoder cannot read it")
