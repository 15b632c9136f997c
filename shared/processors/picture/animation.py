"""Animations of GIF and WebP: every frame on its canvas, and its time.

Each frame of a GIF is decoded as a file of its own: Pillow's canvas is opaque where no frame has painted yet.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from shared.errors import BadFile
from shared.processors.picture import gif, orientation
from shared.processors.picture.colour import resizable
from shared.processors.picture.decoding import Rules
from shared.processors.picture.finishing import finished
from shared.processors.picture.framing import Scale, Size
from shared.processors.picture.opening import Decoded, opened, prepare
from shared.processors.picture.refusals import check_size, truncated

_TO_BACKGROUND, _TO_PREVIOUS = 2, 3
_CLEAR = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each frame is seen, and how often the animation is played; 0 is for ever."""

    durations_ms: list[int]
    loops: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A picture, or all frames of an animation, at the largest wanted scale.

    `whole` is the upright size in full detail.
    """

    pictures: list[Image.Image]
    whole: Size
    is_incomplete: bool = False
    timing: Timing | None = None


def read(source: Path, scale: Scale, rules: Rules, max_frames: int) -> Finished | None:
    """The animation; None for a still picture and for other formats.

    Raises `BadFile`, also for too many frames or pixels.
    """
    prepared = prepare(source, rules.max_pixels)
    if prepared.format not in ("GIF", "WEBP"):
        return None
    with opened(prepared, rules.max_pixels) as picture:
        places = list(itertools.islice(gif.frames(source), max_frames + 1)) if prepared.format == "GIF" else []
        count = len(places) if prepared.format == "GIF" else picture.n_frames
        if count < 2:
            return None
        is_short = prepared.is_short or any(not place.is_whole for place in places)
        if is_short and not rules.delivers_truncated:
            raise truncated()
        _check(picture.size, count, rules.max_pixels, max_frames)
        turn, whole = orientation.turn(picture), orientation.turned(picture.size, orientation.turn(picture))
        shown = _of_gif(source, picture.size, places, rules.max_pixels // count) if places else _of_webp(picture)
        frames = [(finished(Decoded(one, turn, one.size), scale(whole)), duration) for one, duration in shown]
        return Finished(
            [one for one, _ in frames], whole, is_short, Timing([duration for _, duration in frames], _loops(picture))
        )


def _check(size: Size, count: int, max_pixels: int, max_frames: int) -> None:
    if count > max_frames:
        raise BadFile(f"the animation has more than {max_frames:,} frames, the limit of its step", "too_many_frames")
    check_size(size[0], size[1], max_pixels // count)


def _of_gif(source: Path, size: Size, places: list[gif.Frame], max_pixels: int) -> Iterator[tuple[Image.Image, int]]:
    canvas = Image.new("RGBA", size)
    for place in places:
        if not place.is_whole:
            return
        with opened(gif.alone(source, place), max_pixels) as alone:
            box = alone.dispose_extent
            tile = alone.convert("RGBA").crop(box)
        disposal = place.control[0] >> 2 & 7
        before = canvas.copy() if disposal == _TO_PREVIOUS else canvas
        canvas.paste(tile, box, tile)
        yield canvas.copy(), 10 * int.from_bytes(place.control[1:3], "little")
        canvas = before
        if disposal == _TO_BACKGROUND:
            canvas.paste(_CLEAR, box)


def _of_webp(picture: Any) -> Iterator[tuple[Image.Image, int]]:
    for number in range(picture.n_frames):
        picture.seek(number)
        picture.load()
        frame = resizable(picture).copy()
        yield frame, picture.info.get("duration", 0)


def _loops(picture: Any) -> int:
    """A GIF states how often it is repeated; without a number it is played once (Netscape 2.0)."""
    loops: int = picture.info.get("loop", -1)
    return loops if picture.format == "WEBP" or loops == 0 else min(loops + 1, 65_535) or 1
