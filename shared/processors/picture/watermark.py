"""A watermark: a picture of the operator's in front of each rendition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from shared.errors import BadFile
from shared.processors.image_options import Watermark
from shared.processors.picture.decoding import Rules, decode
from shared.processors.picture.finishing import finished, scaled
from shared.processors.picture.framing import Size, placed

#: Limit of a watermark, which is decoded whole beside the file's picture.
MAX_PIXELS = 16_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """A decoded watermark with its opacity, and the options of its place."""

    picture: Image.Image
    options: Watermark

    def on(self, pictures: Sequence[Image.Image]) -> list[Image.Image]:
        """Copies of these pictures, all of one size, with the watermark in front."""
        width, height = pictures[0].size
        margin = min(self.options.margin, min(width, height) // 4)
        room = width - 2 * margin, height - 2 * margin
        mark = scaled(self.picture, self.picture.size, self._scale(width, room))
        left, top = placed(self.options.gravity, room[0] - mark.width, room[1] - mark.height)
        return [_stamped(picture, mark, (margin + left, margin + top)) for picture in pictures]

    def _scale(self, width: int, room: Size) -> float:
        """The share of the width that the options ask for, or as much as fits into the room."""
        across, down = self.picture.size
        return min(width * self.options.scale / across, room[0] / across, room[1] / down)


def stamp(options: Watermark, assets: Mapping[str, Path]) -> Stamp:
    """The watermark. Raises `BadFile` with the reason `bad_asset`."""
    try:
        decoded = decode(assets[options.object], lambda _whole: 1, Rules(MAX_PIXELS))
    except BadFile as error:
        remedy = "upload another one under another name"
        raise BadFile(f"the watermark {options.object} cannot be used: {error.message}; {remedy}", "bad_asset") from error
    picture = finished(decoded, 1).convert("RGBA")
    alpha = picture.getchannel("A").point([round(value * options.opacity) for value in range(256)])
    picture.putalpha(alpha)
    return Stamp(picture, options)


def _stamped(picture: Image.Image, mark: Image.Image, place: Size) -> Image.Image:
    copy = picture.copy()
    if copy.mode == "RGBA":
        copy.alpha_composite(mark, place)
    else:
        copy.paste(mark, place, mark)
    return copy
