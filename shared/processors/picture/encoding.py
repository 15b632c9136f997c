"""Writes a picture in one of the output formats."""

from pathlib import Path

from PIL import Image

from shared.processors.registry import Draft

#: format option → Pillow's name, content type, whether the format keeps transparency
OUTPUT_FORMATS = {
    "webp": ("WEBP", "image/webp", True),
    "avif": ("AVIF", "image/avif", True),
    "png": ("PNG", "image/png", True),
    "jpeg": ("JPEG", "image/jpeg", False),
}


def encode(picture: Image.Image, folder: Path, size: int, name: str, quality: int) -> Draft:
    """Write `<size>.<name>` into the folder; transparency becomes white where the format has none."""
    pillow_name, content_type, keeps_alpha = OUTPUT_FORMATS[name]
    path = folder / f"{size}.{name}"
    flat = picture if keeps_alpha or picture.mode == "RGB" else _on_white(picture)
    flat.save(path, pillow_name, quality=quality)
    return Draft(path.name, content_type, path, {"width_px": picture.width, "height_px": picture.height})


def _on_white(picture: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", picture.size, "white")
    canvas.paste(picture, mask=picture.getchannel("A"))
    return canvas
