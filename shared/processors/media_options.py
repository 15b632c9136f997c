"""Options of the processors of recordings, and their checks. No library here: every service checks options."""

import math
import re
from dataclasses import dataclass

from shared.errors import BadConfiguration

#: format of a poster → content type
POSTER_FORMATS = {"webp": "image/webp", "jpeg": "image/jpeg", "png": "image/png"}
#: format of an audio preview → content type
AUDIO_FORMATS = {"m4a": "audio/mp4", "mp3": "audio/mpeg", "ogg": "audio/ogg"}
MORE_FACTS = ("loudness",)
MAX_EDGE_PX = 8192
MAX_HEIGHT_PX = 2160
MAX_SECONDS = 86_400
MAX_FPS = 120
MAX_POINTS = 20_000
_SHARE = re.compile(r"(100|[0-9]{1,2})%")


@dataclass(frozen=True, slots=True)
class Facts:
    """`add` names facts that decode the whole recording: `loudness`."""

    add: tuple[str, ...] | list[str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.add, list | tuple) or not all(name in MORE_FACTS for name in self.add):
            raise BadConfiguration(f"options.add: {self.add!r}; write a list of {', '.join(MORE_FACTS)}")


@dataclass(frozen=True, slots=True)
class Poster:
    """`at` is a time in seconds, or a share of the duration such as `10%`; `sizes` are longest edges in pixels."""

    at: float | str = "10%"
    sizes: tuple[int, ...] | list[int] = (1280,)
    format: str = "webp"
    quality: int = 80

    def __post_init__(self) -> None:
        is_share = isinstance(self.at, str) and _SHARE.fullmatch(self.at)
        if not is_share and not _is_number(self.at, 0, MAX_SECONDS):
            raise BadConfiguration(f'options.at: {self.at!r}; write seconds such as 2.5, or a share such as "10%"')
        sizes = self.sizes if isinstance(self.sizes, list | tuple) else ()
        if not sizes or not all(_is_whole(size, 1, MAX_EDGE_PX) for size in sizes) or len(set(sizes)) < len(sizes):
            raise BadConfiguration(f"options.sizes: {self.sizes!r}; write different longest edges from 1 to {MAX_EDGE_PX}")
        _check_choice("format", self.format, POSTER_FORMATS)
        _check_whole("quality", self.quality, 1, 100)

    def second(self, duration_seconds: float) -> float:
        """The wanted time in a recording of this duration."""
        if isinstance(self.at, str):
            return duration_seconds * int(self.at.removesuffix("%")) / 100
        return float(self.at)


@dataclass(frozen=True, slots=True)
class Preview:
    """A film of at most `height` pixels and `fps` pictures a second, or sound in the format `audio`.

    `seconds` is the length of the preview, of a recording that is longer; null takes all. `crf` is x264's constant quality:
    lower is better, and larger.
    """

    height: int = 480
    fps: int = 30
    crf: int = 26
    seconds: float | None = None
    audio: str = "m4a"
    audio_kbps: int = 96

    def __post_init__(self) -> None:
        _check_whole("height", self.height, 2, MAX_HEIGHT_PX)
        _check_whole("fps", self.fps, 1, MAX_FPS)
        _check_whole("crf", self.crf, 1, 51)
        _check_whole("audio_kbps", self.audio_kbps, 8, 320)
        _check_choice("audio", self.audio, AUDIO_FORMATS)
        if self.seconds is not None and not _is_number(self.seconds, 0.1, MAX_SECONDS):
            raise BadConfiguration(
                f"options.seconds: {self.seconds!r}; write a number from 0.1 to {MAX_SECONDS}, or leave it out"
            )


@dataclass(frozen=True, slots=True)
class Waveform:
    """`points` is the most pairs of a lowest and a highest value."""

    points: int = 1000

    def __post_init__(self) -> None:
        _check_whole("points", self.points, 2, MAX_POINTS)


def _check_choice(option: str, value: object, choices: dict[str, str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise BadConfiguration(f"options.{option}: {value!r}; write one of {', '.join(choices)}")


def _check_whole(option: str, value: object, least: int, most: int) -> None:
    if not _is_whole(value, least, most):
        raise BadConfiguration(f"options.{option}: {value!r}; write a whole number from {least} to {most}")


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and least <= value <= most
