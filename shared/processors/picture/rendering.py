"""Renditions of a picture."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.processors.image_options import Renditions, box_of
from shared.processors.picture import animation, orientation
from shared.processors.picture.animation import Finished
from shared.processors.picture.decoding import Rules, decode
from shared.processors.picture.encoding import encode
from shared.processors.picture.finishing import finished, scaled
from shared.processors.picture.framing import Box, Scale, rgba
from shared.processors.picture.watermark import stamp
from shared.processors.registry import Draft


def render(source: Path, folder: Path, options: Renditions, assets: Mapping[str, Path]) -> Iterator[Draft | Mapping[str, Any]]:
    """Write and yield every rendition, and the fact `incomplete` of a truncated one. Raises `BadFile`."""
    boxes = {size: Box(*box_of(size), options.fit, options.gravity) for size in options.sizes}
    read = _read(source, options, lambda whole: max(box.scale(whole) for box in boxes.values()))
    if read.is_incomplete:
        yield {"incomplete": True}
    mark = stamp(options.watermark, assets) if options.watermark else None
    pictures = read.pictures
    scales = ((box.scale(read.whole), size) for size, box in boxes.items())
    for scale, size in sorted(scales, key=lambda pair: pair[0], reverse=True):
        # Each size is made from the next larger one: a fraction of the work without a visible difference.
        pictures = [scaled(picture, read.whole, scale) for picture in pictures]
        framed = [boxes[size].framed(picture, read.whole, rgba(options.background)) for picture in pictures]
        seen = mark.on(framed) if mark else framed
        for kind in dict.fromkeys(options.formats):
            yield encode(seen, folder / options.name_of(size, kind), kind, options, read.timing)


def _read(source: Path, options: Renditions, scale: Scale) -> Finished:
    rules = Rules(options.max_pixels, options.truncated == "deliver")
    if options.animation == "keep" and (moving := animation.read(source, scale, rules, options.max_frames)):
        return moving
    decoded = decode(source, scale, rules)
    whole = orientation.turned(decoded.size, decoded.turn)
    return Finished([finished(decoded, scale(whole))], whole, decoded.is_incomplete)
