"""A small copy: a film in H.264 and AAC, or sound in the wanted format."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors.media_options import AUDIO_FORMATS, MAX_EDGE_PX, Preview
from shared.processors.programs import ProgramFailed, Programs
from shared.processors.recordings import decoding, refusals
from shared.processors.recordings.probing import opened
from shared.processors.recordings.recording import Recording, Stream
from shared.processors.registry import Draft

_ENCODERS = {"m4a": "aac", "mp3": "libmp3lame", "ogg": "libopus"}
#: libopus takes few rates, and mp3 none above it.
_RATE_HZ = "48000"
_H264 = ("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p")


def write_preview(
    recording: Recording, folder: Path, options: Preview, programs: Programs
) -> Iterator[Draft | Mapping[str, Any]]:
    """Write it. Raises `BadFile` for a recording that has nothing to show or to play."""
    if video := recording.video:
        path, content_type = folder / "preview.mp4", "video/mp4"
        output = (*_picture(video, options), *_sound(recording.audio, "m4a", options), "-movflags", "+faststart")
    else:
        path, content_type = folder / f"preview.{options.audio}", AUDIO_FORMATS[options.audio]
        output = _sound(recording.audio, options.audio, options)
    length = ("-t", str(options.seconds)) if options.seconds else ()
    end = (*length, *decoding.THREADS, *decoding.BARE, f"file:{path}")
    try:
        with programs.running("ffmpeg", *decoding.begin(recording.source), *output, *end) as program:
            program.output.read()
    except ProgramFailed as failed:
        raise refusals.of(failed, recording.source) from failed
    yield _draft(path, content_type, programs)
    yield refusals.incomplete(program.complaints)


def _picture(video: Stream, options: Preview) -> tuple[str, ...]:
    """The film, upright, in even edges; its pictures keep their times unless there are too many a second."""
    width, height = size(video.size_px, options.height)
    filters = decoding.scaling(width, height, hdr=video.hdr)
    if video.frame_rate and video.frame_rate > options.fps:
        filters = f"fps={options.fps},{filters}"
    return ("-map", f"0:{video.index}", "-vf", filters, *_H264, "-crf", str(options.crf))


def size(size_px: tuple[int, int], most_height: int) -> tuple[int, int]:
    """Even width and height, as yuv420p needs them, with these proportions as far as x264 takes such a width.

    Raises `BadFile` for a size of 0.
    """
    width, height = size_px
    if not width or not height:
        raise BadFile("its film states no size; save it again, and upload that", "corrupt")
    scale = min(1, most_height / height, MAX_EDGE_PX / width)
    return max(2, round(width * scale / 2) * 2), max(2, int(height * scale / 2) * 2)


def _sound(audio: Stream | None, form: str, options: Preview) -> tuple[str, ...]:
    if not audio:
        return ()
    encoder = ("-c:a", _ENCODERS[form], "-b:a", f"{options.audio_kbps}k", "-ac", "2", "-ar", _RATE_HZ)
    return ("-map", f"0:{audio.index}", *encoder)


def _draft(path: Path, content_type: str, programs: Programs) -> Draft:
    """The output with its own facts. Raises `BadFile` where nothing was encoded."""
    nothing = BadFile("it has nothing to show or to play; upload a recording that is longer", "no_output")
    if not path.is_file() or not path.stat().st_size:
        raise nothing
    try:
        made = opened(path, programs)
    except BadFile:
        raise nothing from None
    if not made.duration_seconds:
        raise nothing
    found: dict[str, float] = {"duration_seconds": round(made.duration_seconds, 3)}
    if made.video:
        found["width_px"], found["height_px"] = made.video.size_px
    return Draft(path.name, content_type, path, found)
