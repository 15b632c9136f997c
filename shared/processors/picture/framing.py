"""The place of a picture in a box: inside it, covering it, or in front of a background that fills it."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageColor

Size = tuple[int, int]
#: the scale of a picture of this size, at most 1
Scale = Callable[[Size], float]
RGBA = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A box in pixels, and how a picture fits into it."""

    width: int
    height: int
    fit: str = "inside"
    gravity: str = "center"

    def scale(self, whole: Size) -> float:
        """The scale of a picture of this size, at most 1: a picture is never enlarged."""
        if self.fit == "cover":
            width, height = self._covered(whole)
            return max(width / whole[0], height / whole[1])
        return min(1, self.width / whole[0], self.height / whole[1])

    def framed(self, picture: Image.Image, whole: Size, colour: RGBA) -> Image.Image:
        """The scaled picture, cut or filled up to the box; the same object where it needs neither."""
        if self.fit == "inside":
            return picture
        width, height = self._covered(whole) if self.fit == "cover" else (self.width, self.height)
        if picture.size == (width, height):
            return picture
        left, top = placed(self.gravity, width - picture.width, height - picture.height)
        if self.fit == "cover":
            return picture.crop((-left, -top, width - left, height - top))
        return _filled(picture, (width, height), (left, top), colour)

    def _covered(self, whole: Size) -> Size:
        """The box, or the largest one of its shape in a smaller picture."""
        scale = min(1, whole[0] / self.width, whole[1] / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


def placed(gravity: str, across: int, down: int) -> Size:
    """The share of these pixels that lies left of a picture and above it."""
    left = 0 if "left" in gravity else across if "right" in gravity else across // 2
    top = 0 if "top" in gravity else down if "bottom" in gravity else down // 2
    return left, top


def rgba(background: str) -> RGBA:
    """The colour of the option `background`; a transparent one is white where a format has no transparency."""
    if background == "transparent":
        return 255, 255, 255, 0
    red, green, blue = ImageColor.getrgb(background)[:3]
    return red, green, blue, 255


def _filled(picture: Image.Image, size: Size, place: Size, colour: RGBA) -> Image.Image:
    has_alpha = picture.mode == "RGBA" or colour[3] == 0
    canvas = Image.new("RGBA", size, colour) if has_alpha else Image.new("RGB", size, colour[:3])
    canvas.paste(picture, place)
    return canvas
