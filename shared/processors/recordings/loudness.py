"""The loudness of the sound by EBU R 128: the whole stream is decoded and measured."""

import math
import re
from collections.abc import Mapping
from typing import Any

from shared.processors.programs import ProgramFailed, Programs
from shared.processors.recordings import decoding, refusals
from shared.processors.recordings.recording import Recording

#: Values that the filter prints for each 100 ms, over all that came before: the last ones count.
_LUFS = re.compile(rb"^lavfi\.r128\.I=(-?[0-9.]+)$", re.MULTILINE)
_RANGE = re.compile(rb"^lavfi\.r128\.LRA=([0-9.]+)$", re.MULTILINE)
_PEAK = re.compile(rb"^lavfi\.r128\.true_peak=([0-9.]+)$", re.MULTILINE)
_FILTERS = "ebur128=metadata=1:peak=true:framelog=quiet,ametadata=mode=print:file=-"
_BLOCK_BYTES = 1 << 16


def loudness(recording: Recording, programs: Programs) -> Mapping[str, Any]:
    """Integrated loudness, its range, and the true peak; nothing for a recording without sound."""
    if not recording.audio:
        return {}
    output = ("-map", f"0:{recording.audio.index}", "-af", _FILTERS, "-f", "null", "-")
    tail = b""
    try:
        with programs.running("ffmpeg", *decoding.begin(recording.source), *output) as program:
            while block := program.output.read(_BLOCK_BYTES):
                tail = tail[-_BLOCK_BYTES:] + block
    except ProgramFailed as failed:
        raise refusals.of(failed, recording.source) from failed
    return dict(_measured(tail))


def _measured(printed: bytes) -> list[tuple[str, float]]:
    last = [found[-1] for pattern in (_LUFS, _RANGE, _PEAK) if (found := pattern.findall(printed))]
    if len(last) < 3:
        return []  # shorter than 100 ms
    lufs, spread, peak = map(float, last)
    found = [("loudness_lufs", round(lufs, 1)), ("loudness_range_lu", round(spread, 1))]
    return [*found, ("true_peak_dbtp", round(20 * math.log10(peak), 1))] if peak else found
