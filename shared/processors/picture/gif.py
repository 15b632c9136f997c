"""GIF: the canvas that the first frame leaves uncovered is transparent (GIF89a §18)."""

from pathlib import Path
from typing import Any

from PIL import Image

from shared.processors.picture.prepared import Prepared


def prepare(source: Path) -> Prepared:
    """Pillow fills the uncovered canvas with a colour of the palette."""
    return Prepared("GIF", source, mend=_mended)


def _mended(picture: Any) -> Image.Image:
    frame = picture.dispose_extent
    if frame is None or frame == (0, 0, *picture.size):
        return picture  # type: ignore[no-any-return]
    seen: Image.Image = picture.convert("RGBA")
    canvas = Image.new("RGBA", picture.size)
    canvas.paste(seen.crop(frame), frame)
    return canvas
