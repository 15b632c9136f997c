"""Opens a recording: ffprobe reads its header. Only listed formats are opened, which name no other files."""

import json
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors.programs import ProgramFailed, Programs
from shared.processors.recordings import refusals
from shared.processors.recordings.decoding import INPUT
from shared.processors.recordings.recording import Recording, Stream

#: Beyond it, ffprobe gives up.
MAX_STREAMS = 100
_OUTPUT = ("-of", "json", "-show_format", "-show_streams")


def opened(source: Path, programs: Programs) -> Recording:
    """Raises `BadFile` for a file that is no recording, and where ffmpeg is missing."""
    if missing := [name for name in ("ffmpeg", "ffprobe") if name not in programs.paths]:
        raise refusals.missing(missing)
    try:
        text = programs.printed("ffprobe", "-v", "error", "-max_streams", str(MAX_STREAMS), *INPUT, f"file:{source}", *_OUTPUT)
    except ProgramFailed as failed:
        raise refusals.of(failed, source) from failed
    found = _parsed(text)
    streams = tuple(Stream(stream) for stream in found.get("streams", ()))
    recording = Recording(source, found.get("format", {}), streams)
    _check(recording)
    return recording


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:  # names in other encodings, or more than is read
        raise BadFile("its header is too large or unreadable; save it again", "corrupt") from None
    return found if isinstance(found, dict) else {}


def _check(recording: Recording) -> None:
    if any(stream.is_encrypted for stream in recording.streams):
        raise BadFile("its streams are encrypted (DRM); upload a recording without protection", "unsupported")
    if not any(stream.kind in ("video", "audio") for stream in recording.streams):
        raise BadFile("it has neither video nor audio; upload a recording", "no_output")
