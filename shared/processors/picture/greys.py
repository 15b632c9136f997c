"""Greys of other depths as eight bits."""

import math
from typing import cast

from PIL import Image

_WHITE = 255


def to_eight_bits(picture: Image.Image, bits: int, *, is_inverted: bool = False) -> Image.Image:
    """From whole numbers of up to 16 bits, whose white is 2^bits − 1, or 0 if inverted."""
    most = (1 << bits) - 1
    lookup = [round(min(value, most) * _WHITE / most) for value in range(1 << 16)]
    if is_inverted:
        lookup = [_WHITE - value for value in lookup]
    return picture.convert("I").point(lookup, "L")


def from_floats(picture: Image.Image, *, is_inverted: bool = False) -> Image.Image:
    """From floating point, whose white is 1, 255 or, above that, the brightest finite pixel."""
    darkest, brightest = cast("tuple[float, float]", picture.getextrema())
    if not (math.isfinite(darkest) and math.isfinite(brightest)):
        brightest = _brightest_finite(picture)
    scale = float(_WHITE) if brightest <= 1 else _WHITE / max(brightest, _WHITE)
    grey = picture.point(lambda value: value * scale + 0).convert("L")
    return grey.point([_WHITE - value for value in range(256)]) if is_inverted else grey


def _brightest_finite(picture: Image.Image) -> float:
    values = memoryview(picture.tobytes()).cast("f")
    return max((value for value in values if math.isfinite(value)), default=0.0)
