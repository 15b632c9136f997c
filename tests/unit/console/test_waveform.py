"""Waveforms as paths: the outline of the sound, and nothing for what is no waveform."""

import json
from typing import Any

import pytest

from shared.console import waveform
from shared.testing import FakeCloud


def stored(data: Any, bits: Any = 8) -> bytes:
    return json.dumps({"version": 2, "bits": bits, "length": 2, "data": data}).encode()


def test_a_waveform_is_the_outline_of_lowest_and_highest_values() -> None:
    assert waveform.path(stored([-64, 64, -128, 0])) == "M0.0 25.0L500.0 50.0L500.0 100.0L0.0 75.0Z"
    assert waveform.path(stored([-16384, 16384], bits=16)) == "M0.0 25.0L0.0 75.0Z"


def test_a_long_one_keeps_its_peaks() -> None:
    quiet = [0, 0] * 20_000
    quiet[20_000:20_002] = [-128, 64]
    points = [point.split() for point in waveform.path(stored(quiet))[1:-1].split("L")]

    assert len(points) == 2 * waveform.MAX_SPANS
    assert {point[1] for point in points} == {"50.0", "25.0", "100.0"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[1]",
        b"{}",
        b"[" * 100_000,
        stored([]),
        stored([1]),
        stored(7),
        stored(["a", "b"]),
        stored([1, None]),
        stored([1, 2], bits=0),
        stored([1, 2], bits="x"),
        stored([[1], [2]]),
        b'{"bits": 8, "data": [NaN, 1e999]}',
        b'{"bits": 1e9, "data": [1, 2]}',
        b'{"bits": 8, "data": [1' + b"0" * 400 + b", 2]}",
    ],
)
def test_other_data_draw_nothing_that_is_no_path(data: bytes) -> None:
    assert not set(waveform.path(data)) - set("MLZ0123456789. ")


def test_only_the_output_of_that_name_is_read(cloud: FakeCloud) -> None:
    made = cloud.results.put("made/waveform.json", stored([-64, 64]), "application/json")
    output = {"name": "waveform.json", "object": made.name, "size": made.size}

    assert waveform.read([{"name": "a.json", "object": "a", "size": 1}, output], cloud) == "M0.0 25.0L0.0 75.0Z"
    assert waveform.read([output | {"size": 2 << 20}], cloud) == ""
    assert waveform.read([], cloud) == ""
