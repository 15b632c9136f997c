"""Writes a picture in one of the output formats."""

from pathlib import Path

from PIL import Image

from shared.processors.image_options import Renditions
from shared.processors.picture.framing import rgba
from shared.processors.registry import Draft

#: format option → Pillow's name, content type, whether the format keeps transparency
OUTPUT_FORMATS = {
    "webp": ("WEBP", "image/webp", True),
    "avif": ("AVIF", "image/avif", True),
    "png": ("PNG", "image/png", True),
    "jpeg": ("JPEG", "image/jpeg", False),
}


def encode(picture: Image.Image, path: Path, kind: str, options: Renditions) -> Draft:
    """Write the picture; where the format has no transparency, in front of the background."""
    pillow_name, content_type, keeps_alpha = OUTPUT_FORMATS[kind]
    flat = picture if keeps_alpha or picture.mode == "RGB" else _flat(picture, options.background)
    effort = {"method": options.webp_method} if kind == "webp" else {}
    try:
        flat.save(path, pillow_name, quality=options.quality_of(kind), **effort)
    except RuntimeError as error:  # of the AVIF encoder; the picture is right, so what it lacks is memory
        raise MemoryError(str(error)) from error
    return Draft(path.name, content_type, path, {"width_px": picture.width, "height_px": picture.height})


def _flat(picture: Image.Image, background: str) -> Image.Image:
    canvas = Image.new("RGB", picture.size, rgba(background)[:3])
    canvas.paste(picture, mask=picture.getchannel("A"))
    return canvas
