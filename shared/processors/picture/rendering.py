"""Renditions of a picture."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from shared.processors.image_options import Renditions, box_of
from shared.processors.picture import orientation
from shared.processors.picture.colour import to_srgb
from shared.processors.picture.decoding import Rules, decode
from shared.processors.picture.encoding import encode
from shared.processors.picture.framing import Box, Size, rgba
from shared.processors.picture.opening import Decoded
from shared.processors.registry import Draft

#: How many times the wanted size an averaged copy keeps, from which Lanczos resampling makes it (Pillow's own choice).
_REDUCING_GAP = 2.0


def render(source: Path, folder: Path, options: Renditions) -> Iterator[Draft | Mapping[str, Any]]:
    """Write and yield every rendition, and the fact `incomplete` of a truncated one. Raises `BadFile`."""
    boxes = {size: Box(*box_of(size), options.fit, options.gravity) for size in options.sizes}
    rules = Rules(options.max_pixels, options.truncated == "deliver")
    decoded = decode(source, lambda whole: max(box.scale(whole) for box in boxes.values()), rules)
    if decoded.is_incomplete:
        yield {"incomplete": True}
    whole = orientation.turned(decoded.size, decoded.turn)
    scales = sorted(((box.scale(whole), size) for size, box in boxes.items()), key=lambda pair: pair[0], reverse=True)
    picture = finished(decoded, scales[0][0])
    for scale, size in scales:
        # Each size is made from the next larger one: a fraction of the work without a visible difference.
        picture = _scaled(picture, whole, scale)
        framed = boxes[size].framed(picture, whole, rgba(options.background))
        for kind in dict.fromkeys(options.formats):
            yield encode(framed, folder / options.name_of(size, kind), kind, options)


def finished(decoded: Decoded, scale: float) -> Image.Image:
    """Small first, then upright and in sRGB: before, each would need a copy of the whole picture."""
    profile = decoded.picture.info.get("icc_profile")
    picture = _scaled(decoded.picture, decoded.size, scale)
    turned = picture if decoded.turn is None else picture.transpose(decoded.turn)
    return to_srgb(turned, profile)


def _scaled(picture: Image.Image, whole: Size, scale: float) -> Image.Image:
    """The picture with the shape of `whole` at this scale."""
    width, height = (max(1, round(length * scale)) for length in whole)
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
