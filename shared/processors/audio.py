"""The waveform of sound: the processor and its limits. The work is in `recordings/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors.media import PROGRAMS, prepare
from shared.processors.media_options import Waveform
from shared.processors.programs import Programs
from shared.processors.registry import Draft, processor


@processor(
    "audio.waveform",
    version=1,
    options=Waveform,
    outputs=lambda _options: ("waveform.json",),
    limits=Limits(memory_bytes=512 << 20, seconds=300, output_bytes=1 << 20),
    prepare=prepare,
    programs=PROGRAMS,
)
def waveform(source: Path, folder: Path, options: Waveform, programs: Programs) -> Iterator[Draft | Mapping[str, Any]]:
    """Write the lowest and highest values of the sound over time, for a drawing of it."""
    from shared.processors import recordings

    yield from recordings.write_waveform(recordings.opened(source, programs), folder, options, programs)
