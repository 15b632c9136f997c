"""Finishes a decoded picture: small, upright, in sRGB."""

from PIL import Image

from shared.processors.picture.colour import to_srgb
from shared.processors.picture.framing import Size
from shared.processors.picture.opening import Decoded
from shared.processors.picture.resampling import resized


def finished(decoded: Decoded, scale: float) -> Image.Image:
    """Small first, then upright and in sRGB: before, each would need a copy of the whole picture."""
    profile = decoded.picture.info.get("icc_profile")
    picture = scaled(decoded.picture, decoded.size, scale)
    turned = picture if decoded.turn is None else picture.transpose(decoded.turn)
    return to_srgb(turned, profile)


def scaled(picture: Image.Image, whole: Size, scale: float) -> Image.Image:
    """The picture with the shape of `whole` at this scale."""
    width, height = (max(1, round(length * scale)) for length in whole)
    if picture.size == (width, height):
        return picture
    return resized(picture, (width, height))
