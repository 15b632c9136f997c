"""A film or sound: its duration, size, codecs and streams, from `media.facts`."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.findings import values
from shared.findings.blocks import MAX_ROWS, Finding, Label, Pairs, cut, grid, pairs

STREAMS = (
    ("kind", "Stream"),
    ("codec", "Codec"),
    ("profile", "Profile"),
    ("pixel_format", "Pixels"),
    ("channels", "Channels"),
    ("channel_layout", "Layout"),
    ("sample_rate_hz", "Hz"),
    ("bit_rate", "Bits a second"),
    ("language", "Language"),
)


def find(steps: Sequence[Mapping[str, Any]]) -> Finding | None:
    """The recording of these facts, one mapping for each step."""
    facts = next((facts for facts in steps if facts.keys() >= {"has_video", "has_audio", "streams"}), None)
    if facts is None:
        return None
    streams, count = values.objects(facts["streams"]), facts.get("stream_count")
    note = cut(streams, MAX_ROWS, "stream", count if isinstance(count, int) else 0)
    stated = Pairs([*pairs(facts, LABELS).rows, *_size(facts)])
    title = "Film" if facts["has_video"] is True else "Sound"
    return Finding("recording", title, [stated, grid("Streams", streams, STREAMS, note)], frozenset({"streams"}))


def _size(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    width, height = values.count(facts.get("width_px")), values.count(facts.get("height_px"))
    return [("Picture", f"{width} × {height} px")] if width and height else []


def duration(value: Any) -> str:
    """Seconds as `1:02:03` or `0:07.5`."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9:
        return ""
    minutes, seconds = divmod(round(value, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    rest = f"{seconds:04.1f}".removesuffix(".0")
    return f"{hours}:{minutes:02}:{rest}" if hours else f"{minutes}:{rest}"


def _with(unit: str, per: float = 1) -> Any:
    def text(value: Any) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return f"{value / per:,.4g} {unit}" if is_number and value else ""

    return text


LABELS: Mapping[str, Label] = {
    "title": ("Title", values.shown),
    "artist": ("Artist", values.shown),
    "album": ("Album", values.shown),
    "recorded_at": ("Recorded", values.moment),
    "format": ("Format", values.shown),
    "duration_seconds": ("Duration", duration),
    "video_codec": ("Film codec", values.shown),
    "frame_rate": ("Frame rate", _with("a second")),
    "variable_frame_rate": ("Variable rate", values.if_true),
    "rotation_degrees": ("Rotation", _with("°")),
    "hdr": ("High range", values.shown),
    "audio_codec": ("Sound codec", values.shown),
    "channels": ("Channels", values.count),
    "sample_rate_hz": ("Sample rate", _with("kHz", 1000)),
    "loudness_lufs": ("Loudness", _with("LUFS")),
    "bit_rate": ("Bit rate", _with("kbit/s", 1000)),
    "comment": ("Comment", values.shown),
}
