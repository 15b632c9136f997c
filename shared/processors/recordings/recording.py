"""A recording and its streams, as ffprobe describes them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

#: Transfer curves of high dynamic range (ITU-T H.273 table 3) → their usual names
_HDR = {"smpte2084": "pq", "arib-std-b67": "hlg"}
#: Marks of encrypted streams (ISO 14496-12 §8.12)
_ENCRYPTED = ("encv", "enca")
#: A frame rate that deviates from the base rate by more than this share varies.
_STEADY = Fraction(1, 50)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream. `raw` is what ffprobe printed."""

    raw: Mapping[str, Any]

    @property
    def index(self) -> int:
        return int(self.raw["index"])

    @property
    def kind(self) -> str:
        """`video`, `audio`, `subtitle`, `data`; `cover` for the picture of a song."""
        kind = str(self.raw.get("codec_type", "data"))
        return "cover" if kind == "video" and self.raw.get("disposition", {}).get("attached_pic") else kind

    @property
    def codec(self) -> str:
        """Its name, such as `h264`; empty when ffprobe has none."""
        name = str(self.raw.get("codec_name", ""))
        return "" if name in ("unknown", "none") else name

    @property
    def is_encrypted(self) -> bool:
        return self.raw.get("codec_tag_string") in _ENCRYPTED

    @property
    def is_default(self) -> bool:
        return bool(self.raw.get("disposition", {}).get("default"))

    @property
    def tags(self) -> Mapping[str, str]:
        return {str(name).lower(): str(value) for name, value in self.raw.get("tags", {}).items()}

    @property
    def rotation_degrees(self) -> int:
        """The clockwise turn that makes the pictures upright: 0, 90, 180 or 270; other angles are as near as that."""
        angles = [data["rotation"] for data in self.raw.get("side_data_list", ()) if "rotation" in data]
        return round(-float(angles[0]) / 90) * 90 % 360 if angles else 0

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height as shown: upright, and with square pixels."""
        width, height = int(self.raw.get("width", 0)), int(self.raw.get("height", 0))
        shape = _fraction(self.raw.get("sample_aspect_ratio"), ":")
        if shape and width and height:
            width = max(1, round(width * shape))
        return (height, width) if self.rotation_degrees in (90, 270) else (width, height)

    @property
    def frame_rate(self) -> Fraction | None:
        """The mean of pictures a second."""
        return _fraction(self.raw.get("avg_frame_rate"), "/")

    @property
    def has_variable_frame_rate(self) -> bool:
        base = _fraction(self.raw.get("r_frame_rate"), "/")
        return bool(base and self.frame_rate and abs(self.frame_rate / base - 1) > _STEADY)

    @property
    def channels(self) -> int:
        """Of sound; at least 1."""
        return max(1, int(self.raw.get("channels", 1)))

    @property
    def hdr(self) -> str:
        """`pq` or `hlg`; empty for usual pictures."""
        return _HDR.get(str(self.raw.get("color_transfer")), "")


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of video or audio. `container` are ffprobe's words about the whole file."""

    source: Path
    container: Mapping[str, Any]
    streams: tuple[Stream, ...]

    @property
    def video(self) -> Stream | None:
        """The film: the default stream, else the first. The cover of a song is none."""
        return self._first("video")

    @property
    def audio(self) -> Stream | None:
        return self._first("audio")

    @property
    def duration_seconds(self) -> float | None:
        """As the container states it; None where it does not."""
        return number(self.container.get("duration"))

    def _first(self, kind: str) -> Stream | None:
        found = [stream for stream in self.streams if stream.kind == kind]
        return next((stream for stream in found if stream.is_default), found[0] if found else None)


def number(value: object) -> float | None:
    """A number above or equal to 0; None for anything else."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 <= found < float("inf") else None


def _fraction(value: object, sign: str) -> Fraction | None:
    above, _, below = str(value).partition(sign)
    if not (above.isdecimal() and below.isdecimal()) or int(above) == 0 or int(below) == 0:
        return None
    return Fraction(int(above), int(below))
