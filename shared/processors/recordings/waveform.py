"""The waveform: the lowest and highest value of each of many equal spans, as BBC's audiowaveform writes it."""

import array
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from shared.errors import BadFile
from shared.processors.media_options import Waveform
from shared.processors.programs import ProgramFailed, Programs
from shared.processors.recordings import decoding, refusals
from shared.processors.recordings.recording import Recording
from shared.processors.registry import Draft

#: Enough for a drawing: a higher rate looks the same.
RATE_HZ = 16_000
#: A power of two, as is the length of each span.
BLOCK_SAMPLES = 1 << 17
#: The first length; it doubles whenever there are twice as many spans as wanted.
_SPAN = 16
_BYTES = 2
#: Mixed into one, two channels in opposite phase would be silent.
_MOST_CHANNELS = 2


def write_waveform(
    recording: Recording, folder: Path, options: Waveform, programs: Programs
) -> Iterator[Draft | Mapping[str, Any]]:
    """Write `waveform.json`. Raises `BadFile` for a recording without sound."""
    audio = recording.audio
    if not audio:
        raise BadFile("it has no sound; take waveforms of recordings whose fact `has_audio` is true", "no_output")
    channels = min(_MOST_CHANNELS, audio.channels)
    decoded = ("-map", f"0:{audio.index}", "-ac", str(channels), "-ar", str(RATE_HZ), "-f", "s16le", "pipe:1")
    spans = Spans(options.points)
    try:
        with programs.running("ffmpeg", *decoding.begin(recording.source), *decoded) as program:
            _fill(spans, program.output)
    except ProgramFailed as failed:
        raise refusals.of(failed, recording.source) from failed
    pairs = spans.ended()
    if not pairs:
        raise BadFile("its sound has no sample; upload a recording that is longer", "no_output")
    path = folder / "waveform.json"
    path.write_text(json.dumps(_as_json(pairs, spans.length // channels)), encoding="ascii")
    yield Draft("waveform.json", "application/json", path)
    yield {"duration_seconds": round(spans.samples / channels / RATE_HZ, 3), "points": len(pairs)}
    yield refusals.incomplete(program.complaints)


class Spans:
    """The lowest and highest samples of equal spans, of which there are at most as many as `points` in the end."""

    def __init__(self, points: int) -> None:
        self.length = _SPAN
        self.samples = 0
        self._points = points
        self._pairs: list[tuple[int, int]] = []

    def add(self, block: "array.array[int]") -> None:
        """The samples that follow: `BLOCK_SAMPLES`, or fewer at the end."""
        self.samples += len(block)
        for start in range(0, len(block), self.length):
            span = block[start : start + self.length]
            self._pairs.append((min(span), max(span)))
        while len(self._pairs) >= 2 * self._points and self.length < BLOCK_SAMPLES:
            self._halve()

    def ended(self) -> list[tuple[int, int]]:
        """The lowest and highest sample of each span."""
        while len(self._pairs) > self._points:
            self._halve()
        return self._pairs

    def _halve(self) -> None:
        pairs, self.length = self._pairs, 2 * self.length
        seconds = [*pairs[1::2], pairs[-1]]  # the last span may be alone
        self._pairs = [(min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(pairs[::2], seconds, strict=False)]


def _fill(spans: Spans, stream: IO[bytes]) -> None:
    while data := stream.read(BLOCK_SAMPLES * _BYTES):
        block = array.array("h", data[: len(data) // _BYTES * _BYTES])
        if sys.byteorder == "big":
            block.byteswap()
        spans.add(block)


def _as_json(pairs: list[tuple[int, int]], samples_per_pixel: int) -> Mapping[str, Any]:
    """The format of audiowaveform and peaks.js, with 8 bits."""
    data = [value >> 8 for pair in pairs for value in pair]
    head = {"version": 2, "channels": 1, "sample_rate": RATE_HZ, "samples_per_pixel": samples_per_pixel, "bits": 8}
    return {**head, "length": len(pairs), "data": data}
