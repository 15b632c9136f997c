"""Decodes a picture, brings it upright and into sRGB, and encodes it, with Pillow and a closed list of formats.

Apart from `image.py`, because every service reads options and only the processor sees pictures: Pillow costs 10 % of a cold start.
"""

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from PIL import (  # noqa: F401  (a plugin registers itself when imported)
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from shared.errors import BadFile
from shared.processors.registry import Draft

#: The formats that Pillow may open (JPEG includes MPO). It has some forty decoders, and nearly all of its security fixes concern
#: the others. It loads none of those, because these seven are imported here.
INPUT_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
#: format option → Pillow's name, content type, whether the format keeps transparency
OUTPUT_FORMATS = {
    "webp": ("WEBP", "image/webp", True),
    "avif": ("AVIF", "image/avif", True),
    "png": ("PNG", "image/png", True),
    "jpeg": ("JPEG", "image/jpeg", False),
}
#: 50 megapixels, about 200 MB decoded. Above it Pillow itself only warns, up to twice as much; here the warning is an error.
MAX_PIXELS = 50_000_000
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

# Reuse up to 64 MB of image buffers; reallocating costs 5 % of CPU.
Image.core.set_block_size(1 << 20)  # type: ignore[attr-defined]
Image.core.set_blocks_max(64)  # type: ignore[attr-defined]

#: Exceptions of Pillow's decoders for corrupt files. The file is complete and on local disk, so none of them means an outage.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, TypeError, RuntimeError, struct.error)

#: EXIF orientation → transposition that brings the picture upright (EXIF 2.32 §4.6.5)
_TURNS: Mapping[Any, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_QUARTER_TURNS = tuple(_TURNS[orientation] for orientation in (5, 6, 7, 8))

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Pillow's name of a JPEG that holds several pictures
_NAMES = {"MPO": "jpeg"}

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def render(source: Path, folder: Path, edges: Sequence[int], formats: Sequence[str], quality: int) -> Iterator[Draft]:
    """Write and yield every rendition. Raises `BadFile` for a file that is not a picture, or is a corrupt one."""
    sizes = sorted(set(edges), reverse=True)
    picture = _decode(source, sizes[0])
    for size in sizes:
        # Each size is made from the next larger one: a fraction of the work without a visible difference.
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
        for name in dict.fromkeys(formats):
            yield _encode(picture, folder, size, name, quality)


def describe(source: Path) -> Mapping[str, Any]:
    """The size of the upright picture and its format, without decoding pixels. Raises `BadFile` as `render` does."""
    with _opened(source) as picture:
        if picture.format == "PNG" and "exif" not in picture.info:
            picture.info["exif"] = _png_exif(source)
        # Pillow states the upright size of a TIFF.
        is_turned = picture.format != "TIFF" and _turn(picture) in _QUARTER_TURNS
        width, height = reversed(picture.size) if is_turned else picture.size
        return {"width_px": width, "height_px": height, "format": _NAMES.get(str(picture.format), str(picture.format).lower())}


def _png_exif(source: Path) -> bytes | None:
    """The EXIF data of a PNG, which may follow the pixels, where Pillow reads them only after decoding (PNG 3 §5.6)."""
    with source.open("rb") as stream:
        stream.seek(len(_PNG_SIGNATURE))
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return stream.read(length)
            stream.seek(length + 4, io.SEEK_CUR)
    return None


def _decode(source: Path, largest: int) -> Image.Image:
    with _opened(source) as picture:
        # JPEG only: the decoder skips detail that is not needed; twice the size keeps the resampling clean.
        picture.draft("RGB", (largest * 2, largest * 2))
        picture.load()
        return _clean(_upright(picture))


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(source, formats=INPUT_FORMATS) as picture:
            yield picture
    except UnidentifiedImageError:
        raise BadFile(f"not a picture in a supported format ({', '.join(INPUT_FORMATS)})", "unidentified") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadFile(f"the picture has more than {MAX_PIXELS:,} pixels, the limit", "too_many_pixels") from None
    except _BROKEN as error:
        raise BadFile("the picture is corrupt or truncated, or its metadata exceed Pillow's limit", "corrupt") from error


def _upright(picture: Image.Image) -> Image.Image:
    turn = _turn(picture)
    return picture if turn is None else picture.transpose(turn)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    # Not ImageOps.exif_transpose: it rewrites the EXIF data and fails on a good picture whose EXIF data are corrupt.
    # Not picture.getexif(): in a PNG without EXIF data it decodes the pixels.
    try:
        return _TURNS.get(Image.Image.getexif(picture).get(ExifTags.Base.Orientation))
    except _BROKEN:
        return None


def _clean(picture: Image.Image) -> Image.Image:
    """The picture as RGB or RGBA in sRGB, without the metadata that an encoder would copy."""
    profile = picture.info.get("icc_profile")
    transparent = picture.has_transparency_data
    if picture.mode.startswith("I"):  # 16-bit grey: convert() would clip it to white
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode == "F":
        picture = _from_floats(picture)
    if picture.mode in ("P", "PA") or "transparency" in picture.info:  # now, while the colour that marks it is unchanged
        picture = picture.convert("RGBA" if transparent else "RGB")
    if profile and picture.mode in ("RGB", "RGBA", "CMYK", "L"):
        picture = _to_srgb(picture, profile)
    clean = picture.convert("RGBA" if transparent else "RGB")
    clean.info.clear()
    return clean


def _from_floats(picture: Image.Image) -> Image.Image:
    """Grey from floating point, whose white is 1, 255 or, above that, the brightest pixel."""
    _darkest, brightest = cast("tuple[float, float]", picture.getextrema())
    scale = 255.0 if brightest <= 1 else 255 / max(brightest, 255)
    return picture.point(lambda value: value * scale + 0).convert("L")


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, embedded, _SRGB, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError):
        return picture  # an unreadable profile, or one for other channels, is ignored


def _encode(picture: Image.Image, folder: Path, size: int, name: str, quality: int) -> Draft:
    pillow_name, content_type, keeps_alpha = OUTPUT_FORMATS[name]
    path = folder / f"{size}.{name}"
    flat = picture if keeps_alpha or picture.mode == "RGB" else _on_white(picture)
    flat.save(path, pillow_name, quality=quality)
    return Draft(path.name, content_type, path, {"width_px": picture.width, "height_px": picture.height})


def _on_white(picture: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", picture.size, "white")
    canvas.paste(picture, mask=picture.getchannel("A"))
    return canvas
