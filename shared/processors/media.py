"""Facts, posters and previews of video and audio: the processors and their limits. The work is in `recordings/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors.media_options import Facts, Poster, Preview
from shared.processors.programs import Programs
from shared.processors.registry import Draft, processor

PROGRAMS = ("ffmpeg", "ffprobe")


def prepare() -> None:
    """Load what starts a program, and what writes a picture."""
    import subprocess  # noqa: F401

    from PIL import Image

    from shared.processors import recordings  # noqa: F401

    Image.preinit()


@processor(
    "media.facts",
    version=1,
    options=Facts,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=512 << 20, seconds=300, output_bytes=1 << 20),
    prepare=prepare,
    programs=PROGRAMS,
)
def facts(source: Path, _folder: Path, options: Facts, programs: Programs) -> Iterator[Mapping[str, Any]]:
    """The statements of the container: duration, size, codecs, rotation, streams; on request the loudness."""
    # Imported with the first recording: a service that only plans tasks never needs this.
    from shared.processors import recordings

    recording = recordings.opened(source, programs)
    yield recordings.facts(recording)
    if "loudness" in options.add:
        yield recordings.loudness(recording, programs)


@processor(
    "media.poster",
    version=1,
    options=Poster,
    outputs=lambda options: tuple(f"{size}.{options.format}" for size in options.sizes),
    limits=Limits(memory_bytes=1 << 30, seconds=120, output_bytes=32 << 20),
    prepare=prepare,
    programs=PROGRAMS,
)
def poster(source: Path, folder: Path, options: Poster, programs: Programs) -> Iterator[Draft | Mapping[str, Any]]:
    """Write a picture of the film at a time, upright and without its colours beyond the screen's."""
    from shared.processors import recordings

    yield from recordings.write_poster(recordings.opened(source, programs), folder, options, programs)


@processor(
    "media.preview",
    version=1,
    options=Preview,
    outputs=lambda options: ("preview.mp4", f"preview.{options.audio}"),
    limits=Limits(memory_bytes=1 << 30, seconds=900, output_bytes=512 << 20),
    prepare=prepare,
    programs=PROGRAMS,
)
def preview(source: Path, folder: Path, options: Preview, programs: Programs) -> Iterator[Draft | Mapping[str, Any]]:
    """Write a small film that every browser plays (H.264 and AAC), or the sound of a recording without pictures."""
    from shared.processors import recordings

    yield from recordings.write_preview(recordings.opened(source, programs), folder, options, programs)
