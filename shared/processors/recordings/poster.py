"""A picture of a film at a time: ffmpeg decodes it, Pillow writes it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors.media_options import POSTER_FORMATS, Poster
from shared.processors.programs import ProgramFailed, Programs
from shared.processors.recordings import decoding, refusals
from shared.processors.recordings.recording import Recording, Stream
from shared.processors.registry import Draft

#: Of WebP's encoder, as in the renditions of pictures.
_EFFORT: Mapping[str, Mapping[str, Any]] = {"webp": {"method": 4}, "jpeg": {"optimize": True}}


def write_poster(
    recording: Recording, folder: Path, options: Poster, programs: Programs
) -> Iterator[Draft | Mapping[str, Any]]:
    """Write a picture in each size, never enlarged. Raises `BadFile` for a recording without a film."""
    from PIL import Image

    video = recording.video
    if not video:
        raise BadFile("it has no film, only sound; take a poster of recordings whose fact `has_video` is true", "no_output")
    largest = fitting(video.size_px, max(options.sizes))
    second = options.second(recording.duration_seconds or 0)
    pixels = _frame(recording, video, largest, second, programs)
    if not pixels and second:  # the film ends before the sound, or before its stated duration
        second, pixels = 0.0, _frame(recording, video, largest, 0, programs)
    if not pixels:
        raise BadFile("its film has no picture; upload a recording that is longer", "no_output")
    picture = Image.frombytes("RGB", largest, pixels)
    for size in options.sizes:
        scaled = picture.resize(fitting(video.size_px, size), Image.Resampling.LANCZOS, reducing_gap=3)
        path = folder / f"{size}.{options.format}"
        scaled.save(path, options.format, quality=options.quality, **_EFFORT.get(options.format, {}))
        yield Draft(path.name, POSTER_FORMATS[options.format], path, {"width_px": scaled.width, "height_px": scaled.height})
    yield {"at_seconds": round(second, 3)}


def fitting(size_px: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """A size with the same proportions, whose longest edge is at most this. Raises `BadFile` for a size of 0."""
    width, height = size_px
    if not width or not height:
        raise BadFile("its film states no size; save it again, and upload that", "corrupt")
    scale = min(1, longest_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _frame(recording: Recording, video: Stream, size: tuple[int, int], second: float, programs: Programs) -> bytes:
    """The pixels of the first picture from this time on; empty where none comes."""
    width, height = size
    seek = ("-ss", f"{second:.3f}") if second else ()
    output = ("-map", f"0:{video.index}", "-vf", f"{decoding.scaling(width, height, hdr=video.hdr)},format=rgb24")
    end = ("-frames:v", "1", "-f", "rawvideo", "pipe:1")
    try:
        with programs.running("ffmpeg", *decoding.begin(recording.source, *seek), *output, *end) as program:
            pixels = program.output.read(3 * width * height)
    except ProgramFailed as failed:
        raise refusals.of(failed, recording.source) from failed
    return pixels if len(pixels) == 3 * width * height else b""
