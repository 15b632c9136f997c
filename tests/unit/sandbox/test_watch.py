"""The looks of the service at a child."""

import os
from pathlib import Path

import pytest

from shared.model import recipe
from shared.sandbox import watch
from shared.sandbox.messages import Call
from tests.unit.sandbox import hostile


def test_a_child_whose_number_is_not_yet_known_is_not_above_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number comes late on a machine with much to do. All threads of the kernel have the group 0."""
    call = Call(recipe("step", hostile.NAME, 1, {}), "source", str(tmp_path), hostile.LIMITS, programs={"ffmpeg": "ffmpeg"})
    looks = watch.Watch(call)
    monkeypatch.setattr(os, "getpgid", lambda _number: 0)
    monkeypatch.setattr(os, "listdir", lambda _path: [str(number) for number in range(1, 21)])

    assert [looks.reached(0) for _ in range(2 * watch.SELDOM)] == [""] * 2 * watch.SELDOM
