"""Writes a picture in one of the output formats."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from shared.processors.image_options import Renditions
from shared.processors.picture import memory
from shared.processors.picture.animation import Timing
from shared.processors.picture.framing import rgba
from shared.processors.registry import Draft

#: format option → Pillow's name, content type, whether the format keeps transparency
OUTPUT_FORMATS = {
    "webp": ("WEBP", "image/webp", True),
    "avif": ("AVIF", "image/avif", True),
    "png": ("PNG", "image/png", True),
    "jpeg": ("JPEG", "image/jpeg", False),
}
#: Bytes for each pixel that libaom takes at least; without them it may crash.
_ENCODER_BYTES = {"avif": 24}
#: libwebp's VP8_ENC_ERROR_OUT_OF_MEMORY and VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY, as Pillow raises them.
_NO_MEMORY = ("encoding error 1", "encoding error 2")
_WEBP_FLAGS_AT, _WEBP_HAS_ALPHA = 20, 0x10


def encode(pictures: Sequence[Image.Image], path: Path, kind: str, options: Renditions, timing: Timing | None = None) -> Draft:
    """Write the picture; where the format has no transparency, in front of the background.

    With a `timing`, WebP is an animation; the other formats show its first frame.
    """
    picture = pictures[0]
    pillow_name, content_type, keeps_alpha = OUTPUT_FORMATS[kind]
    flat = picture if keeps_alpha or picture.mode == "RGB" else _flat(picture, options.background)
    more = _effort(kind, options)
    facts = {"width_px": picture.width, "height_px": picture.height}
    if timing and len(pictures) > 1 and kind == "webp":
        more |= {"save_all": True, "append_images": pictures[1:], "duration": timing.durations_ms, "loop": timing.loops}
    memory.require(_ENCODER_BYTES.get(kind, 0) * flat.width * flat.height)
    try:
        flat.save(path, pillow_name, quality=options.quality_of(kind), **more)
    except (RuntimeError, ValueError) as error:
        if isinstance(error, ValueError) and str(error) not in _NO_MEMORY:
            raise
        raise MemoryError(str(error)) from error  # the AVIF encoder raises RuntimeError; the picture is right
    if "save_all" in more:
        facts["frames"] = _count(path)
        if facts["frames"] > 1 and any(_is_transparent(one) for one in pictures):
            _declare_alpha(path)
    return Draft(path.name, content_type, path, facts)


def _effort(kind: str, options: Renditions) -> dict[str, Any]:
    """Options of the encoder for small files; a JPEG with Huffman codes of its own has up to 7 % fewer bytes."""
    efforts: dict[str, dict[str, Any]] = {"webp": {"method": options.webp_method}, "jpeg": {"optimize": True}}
    return efforts.get(kind, {})


def _count(path: Path) -> int:
    """The frames of an animation: the encoder joins equal ones."""
    with Image.open(path, formats=["WEBP"]) as written:
        return getattr(written, "n_frames", 1)


def _is_transparent(picture: Image.Image) -> bool:
    return picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255)


def _declare_alpha(path: Path) -> None:
    """The encoder cuts clear edges off the frames, and declares transparency only for what is left (RFC 9649 §2.7)."""
    with path.open("r+b") as file:
        file.seek(_WEBP_FLAGS_AT)
        flags = file.read(1)[0]
        file.seek(_WEBP_FLAGS_AT)
        file.write(bytes([flags | _WEBP_HAS_ALPHA]))


def _flat(picture: Image.Image, background: str) -> Image.Image:
    canvas = Image.new("RGB", picture.size, rgba(background)[:3])
    canvas.paste(picture, mask=picture.getchannel("A"))
    return canvas
