"""Recordings in the real sandbox: ffmpeg runs there, reaches no other file, and ends with its step."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared import processors
from shared.errors import BadFile
from shared.model import recipe
from shared.sandbox.outcome import Ran
from shared.sandbox.service import Sandbox
from tests.unit.media.clips import H264, film, made, needs_ffmpeg, patterns

pytestmark = needs_ffmpeg
Step = Callable[..., Ran]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One whose zygote has loaded all processors of recordings."""
    shared = Sandbox(["media.facts", "media.poster", "media.preview", "audio.waveform"], 4 << 30)
    yield shared
    shared.stop()


@pytest.fixture
def step(sandbox: Sandbox, tmp_path: Path) -> Step:
    """Runs a processor on these bytes, with these options, under its own limits or those in `limits`."""

    def ran(name: str, data: bytes, limits: dict[str, int] | None = None, **options: Any) -> Ran:
        found = processors.find(name)
        place = Path(tempfile.mkdtemp(dir=tmp_path))
        source, folder = place / "source", place / "folder"
        source.write_bytes(data)
        folder.mkdir()
        exact = recipe("step", name, found.version, found.check(options))
        return sandbox.run(exact, source, folder, replace(found.limits, **(limits or {})))

    return ran


def test_a_film_is_read_and_its_outputs_come_out(step: Step) -> None:
    data = film()

    facts = step("media.facts", data, add=["loudness"]).made().facts
    outputs = [
        (draft.name, draft.content_type)
        for name in ("media.poster", "media.preview", "audio.waveform")
        for draft in step(name, data).made().drafts
    ]

    assert (facts["width_px"], facts["height_px"], facts["video_codec"], facts["audio_codec"]) == (320, 180, "h264", "aac")
    assert facts["loudness_lufs"] < 0
    assert outputs == [("1280.webp", "image/webp"), ("preview.mp4", "video/mp4"), ("waveform.json", "application/json")]


def test_what_ffmpeg_takes_is_in_the_figures_of_the_step(step: Step) -> None:
    """A picture of 3840 × 2160 pixels has 12 MB, and several are in work."""
    large = made("mp4", *patterns("testsrc=s=3840x2160:r=5:d=1"), *H264)
    ran = step("media.preview", large)

    assert ran.made().drafts[0].facts["height_px"] == 480
    assert ran.peak_bytes > 80 << 20
    assert ran.cpu_seconds > 0.1


def test_too_little_memory_is_the_limit_of_memory(step: Step) -> None:
    large = made("mp4", *patterns("testsrc=s=3840x2160:r=5:d=4"), *H264)
    ran = step("media.preview", large, {"memory_bytes": 64 << 20, "seconds": 30})

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "limit_memory"


def test_a_film_that_takes_too_long_is_stopped_with_its_program(step: Step, sandbox: Sandbox) -> None:
    short = made("mp4", *patterns("testsrc=s=640x360:r=60:d=1"), *H264)
    long = made("mp4", "-stream_loop", "300", "-i", "FILE", "-c", "copy", file=short)
    ran = step("media.preview", long, {"seconds": 1}, fps=120, height=360, crf=1)

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "limit_time"
    assert sandbox.zygote_pid
    assert psutil.Process(sandbox.zygote_pid).children(recursive=True) == []


def test_outputs_beyond_their_limit_are_refused(step: Step) -> None:
    noise = made("mkv", *patterns("testsrc=s=640x360:r=10:d=2,noise=alls=100"), "-c:v", "ffv1")
    ran = step("media.preview", noise, {"output_bytes": 64 << 10}, crf=1)

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "limit_output"


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_a_film_that_names_another_file_does_not_get_it(step: Step, tmp_path: Path) -> None:
    """Even the demuxer of playlists, if it ran, could not open it."""
    (secret := tmp_path / "secret.wav").write_bytes(made("wav", *patterns("sine=d=1")))
    ran = step("audio.waveform", f"ffconcat version 1.0\nfile {os.fspath(secret)}\n".encode())

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "unsupported"
