"""Waveforms: the sound over time, in the format of audiowaveform."""

import array
import json
from typing import Any

import pytest

from shared.errors import BadConfiguration, BadFile
from shared.processors.recordings.waveform import BLOCK_SAMPLES, Spans
from shared.testing import run_processor
from tests.unit.media.clips import H264, PATTERN, made, needs_ffmpeg, patterns

#: A second of silence, then one of a tone at half of the loudest, in opposite phase in both channels.
QUIET_THEN_LOUD = "aevalsrc=if(lt(t\\,1)\\,0\\,0.5*sin(2*PI*440*t))|if(lt(t\\,1)\\,0\\,-0.5*sin(2*PI*440*t)):s=16000:d=2"


def waveform(data: bytes, **options: Any) -> dict[str, Any]:
    made_of = run_processor("audio.waveform", data, **options)
    (output,) = made_of.outputs
    assert (output.name, output.content_type) == ("waveform.json", "application/json")
    return dict(json.loads(output.data)) | {"facts": dict(made_of.facts)}


@needs_ffmpeg
def test_a_waveform_shows_silence_and_sound_also_in_opposite_phase() -> None:
    found = waveform(made("wav", *patterns(QUIET_THEN_LOUD)), points=200)

    data = found.pop("data")
    # 32,000 samples: 200 spans would be 160 samples long, which 256 exceeds as the next power of two.
    assert found == {
        "version": 2,
        "channels": 1,
        "sample_rate": 16000,
        "samples_per_pixel": 256,
        "bits": 8,
        "length": 125,
        "facts": {"points": 125, "duration_seconds": 2.0},
    }
    assert set(data[:124]) == {0}
    assert set(data[126::2]) <= {-64, -65}
    assert set(data[127::2]) <= {63, 64}


@needs_ffmpeg
def test_a_film_without_sound_has_no_waveform() -> None:
    with pytest.raises(BadFile, match="it has no sound") as refused:
        waveform(made("mp4", *patterns(PATTERN), *H264))

    assert refused.value.code == "no_output"


@pytest.mark.parametrize(
    ("samples", "points", "length", "spans"),
    [
        (1, 10, 16, 1),
        (160, 10, 16, 10),
        (161, 10, 32, 6),
        (3 * BLOCK_SAMPLES + 5, 3, 2 * BLOCK_SAMPLES, 2),
        (100_000, 2, 65536, 2),
    ],
)
def test_spans_double_until_they_are_few_enough(samples: int, points: int, length: int, spans: int) -> None:
    found = Spans(points)
    for start in range(0, samples, BLOCK_SAMPLES):
        found.add(array.array("h", [0] * min(BLOCK_SAMPLES, samples - start)))
    pairs = found.ended()

    assert (found.length, len(pairs), found.samples) == (length, spans, samples)


def test_the_lowest_and_highest_samples_stay_in_their_span() -> None:
    samples = array.array("h", bytes(2 * 3 * BLOCK_SAMPLES))
    samples[5], samples[2 * BLOCK_SAMPLES + 7] = -300, 400
    found = Spans(3)
    for start in range(0, len(samples), BLOCK_SAMPLES):
        found.add(samples[start : start + BLOCK_SAMPLES])

    assert found.ended() == [(-300, 0), (0, 0), (0, 400)]


@pytest.mark.parametrize("value", [1, 20_001, "100", None])
def test_points_are_a_whole_number(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.points: .*; write a whole number from 2 to 20000$"):
        waveform(b"", points=value)
