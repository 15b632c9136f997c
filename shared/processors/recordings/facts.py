"""Facts of a recording, from what its container states."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.processors.recordings.recording import Recording, Stream, number

#: Streams that are listed one by one.
MAX_LISTED = 50
#: Of a text of the sender.
MAX_CHARACTERS = 300
#: tag → fact
_TEXTS = {"title": "title", "artist": "artist", "album": "album", "comment": "comment", "genre": "genre"}
_CHARACTERISTICS = (("pix_fmt", "pixel_format"), ("profile", "profile"), ("channel_layout", "channel_layout"))
_COUNTS = (("channels", "channels"), ("sample_rate", "sample_rate_hz"), ("bit_rate", "bit_rate"))


def facts(recording: Recording) -> Mapping[str, Any]:
    """Those that the recording has; others are left out."""
    kinds = Counter(stream.kind for stream in recording.streams)
    found = {
        "format": _format(recording),
        "duration_seconds": _rounded(recording.duration_seconds),
        "bit_rate": _whole(recording.container.get("bit_rate")),
        "has_video": recording.video is not None,
        "has_audio": recording.audio is not None,
        "has_cover": kinds["cover"] > 0 or None,
        "stream_count": len(recording.streams),
        "streams": [dict(_of_stream(stream)) for stream in recording.streams[:MAX_LISTED]],
        **(dict(_of_video(recording.video)) if recording.video else {}),
        **(dict(_of_audio(recording.audio)) if recording.audio else {}),
        **dict(_of_tags(recording)),
    }
    return {name: value for name, value in found.items() if value is not None}


def _format(recording: Recording) -> str:
    """The name of the container: ffprobe's first, but for families that share a demuxer."""
    names = str(recording.container.get("format_name", "")).split(",")
    if "mp4" in names:
        brand = _tags(recording).get("major_brand", "").strip()
        return "mov" if brand == "qt" else "m4a" if brand.startswith("M4A") else "3gp" if brand.startswith("3g") else "mp4"
    if "webm" in names:
        codecs = {stream.codec for stream in recording.streams}
        return "webm" if codecs <= {"vp8", "vp9", "av1", "opus", "vorbis", "webvtt"} else "matroska"
    return names[0]


def _of_video(stream: Stream) -> Iterator[tuple[str, Any]]:
    width, height = stream.size_px
    rate = stream.frame_rate
    yield "width_px", width
    yield "height_px", height
    yield "rotation_degrees", stream.rotation_degrees
    yield "video_codec", stream.codec or None
    yield "frame_rate", round(float(rate), 3) if rate else None
    yield "variable_frame_rate", stream.has_variable_frame_rate
    yield "hdr", stream.hdr or None


def _of_audio(stream: Stream) -> Iterator[tuple[str, Any]]:
    yield "audio_codec", stream.codec or None
    yield "channels", _whole(stream.raw.get("channels"))
    yield "sample_rate_hz", _whole(stream.raw.get("sample_rate"))


def _of_stream(stream: Stream) -> Iterator[tuple[str, Any]]:
    yield "kind", stream.kind
    if stream.codec:
        yield "codec", stream.codec
    for name, fact in _CHARACTERISTICS:
        if text := stream.raw.get(name):
            yield fact, _line(text)
    for name, fact in _COUNTS:
        if (count := _whole(stream.raw.get(name))) is not None:
            yield fact, count
    if (language := stream.tags.get("language", "und")) != "und":
        yield "language", _line(language)


def _of_tags(recording: Recording) -> Iterator[tuple[str, Any]]:
    tags = {name: value for stream in recording.streams for name, value in stream.tags.items()} | _tags(recording)
    for tag, fact in _TEXTS.items():
        if text := _line(tags.get(tag, "")):
            yield fact, text
    try:
        yield "recorded_at", datetime.fromisoformat(tags["creation_time"]).isoformat()
    except (KeyError, ValueError):
        return


def _tags(recording: Recording) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in recording.container.get("tags", {}).items()}


def _line(text: object) -> str:
    printable = "".join(each if each.isprintable() else " " for each in str(text)[:MAX_CHARACTERS])
    return " ".join(printable.split())


def _whole(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
