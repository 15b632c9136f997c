"""Renditions and facts of a picture."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from shared.processors.picture import orientation
from shared.processors.picture.colour import to_srgb
from shared.processors.picture.decoding import Rules, decode
from shared.processors.picture.encoding import encode
from shared.processors.picture.opening import Decoded, opened, prepare
from shared.processors.registry import Draft

#: Pillow's name of a JPEG that holds several pictures
_NAMES = {"MPO": "jpeg"}
#: How many times the wanted size an averaged copy keeps, from which Lanczos resampling makes it (Pillow's own choice).
_REDUCING_GAP = 2.0


def render(
    source: Path, folder: Path, edges: Sequence[int], formats: Sequence[str], quality: int, rules: Rules
) -> Iterator[Draft | Mapping[str, Any]]:
    """Write and yield every rendition, and the fact `incomplete` of a truncated one. Raises `BadFile`."""
    sizes = sorted(set(edges), reverse=True)
    decoded = decode(source, sizes[0], rules)
    if decoded.is_incomplete:
        yield {"incomplete": True}
    picture = _finished(decoded, sizes[0])
    whole = orientation.turned(decoded.size, decoded.turn)
    for size in sizes:
        # Each size is made from the next larger one: a fraction of the work without a visible difference.
        picture = _fitted(picture, whole, size)
        for name in dict.fromkeys(formats):
            yield encode(picture, folder, size, name, quality)


def describe(source: Path, max_pixels: int) -> Mapping[str, Any]:
    """The size of the upright picture and its format, without decoding pixels. Raises `BadFile` as `render` does."""
    prepared = prepare(source, max_pixels)
    with opened(prepared, max_pixels) as picture:
        left, top, right, bottom = prepared.crop or (0, 0, *picture.size)
        width, height = orientation.turned((right - left, bottom - top), orientation.turn(picture))
        return {"width_px": width, "height_px": height, "format": _NAMES.get(picture.format, picture.format.lower())}


def _finished(decoded: Decoded, edge: int) -> Image.Image:
    """Small first, then upright and in sRGB: before, each would need a copy of the whole picture."""
    profile = decoded.picture.info.get("icc_profile")
    picture = _fitted(decoded.picture, decoded.size, edge)
    turned = picture if decoded.turn is None else picture.transpose(decoded.turn)
    return to_srgb(turned, profile)


def _fitted(picture: Image.Image, whole: tuple[int, int], edge: int) -> Image.Image:
    """The picture with the shape of `whole` and this longer edge; never enlarged."""
    scale = min(1, edge / max(whole))
    width, height = (max(1, round(length * scale)) for length in whole)
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
