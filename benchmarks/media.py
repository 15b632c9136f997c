"""CPU time of a preview in the sandbox beside ffmpeg alone, on a clip of ten seconds in 1080p, in pairs."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks import numbers
from shared import processors
from shared.model import recipe
from shared.processors import extras, programs
from shared.sandbox.service import Sandbox

ROUNDS = numbers.of("BENCH_MEDIA_ROUNDS", 5)
#: Speed of ours beside ffmpeg alone.
GOAL = 0.95
NAME, PROGRAMS = "media.preview", ("ffmpeg", "ffprobe")
#: What a person would type: the same size, quality and encoders.
_ALONE = (
    *("-vf", "scale=854:480:flags=bicubic", "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-pix_fmt", "yuv420p"),
    *("-c:a", "aac", "-b:a", "96k", "-ac", "2", "-movflags", "+faststart"),
)
_CLIP = ("-f", "lavfi", "-i", "mandelbrot=s=1920x1080:r=30:maxiter=300", "-f", "lavfi", "-i", "sine=f=300:r=48000", "-t", "10")
_ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")


def measure(folder: Path) -> dict[str, Any]:
    """Medians of seconds of wall and CPU time, and of the ratios within a round; nothing without ffmpeg."""
    found = programs.find(PROGRAMS)
    if len(found) < len(PROGRAMS):
        return {}
    clip = folder / "clip.mp4"
    _run(found["ffmpeg"], *_CLIP, *_ENCODED, str(clip))
    sandbox = Sandbox([NAME], 4 << 30)
    try:
        ours, alone = _ours(sandbox, clip), _alone(found["ffmpeg"], clip)
        rounds = [_in_turn(number, alone, ours) for number in range(ROUNDS)]
    finally:
        sandbox.stop()
    columns = zip(*rounds, strict=True)
    names = ("alone_wall", "alone_cpu", "ours_wall", "ours_cpu")
    medians = {name: statistics.median(column) for name, column in zip(names, columns, strict=True)}
    ratios = {
        "wall_ratio": statistics.median(one[0] / one[2] for one in rounds),
        "cpu_ratio": statistics.median(one[1] / one[3] for one in rounds),
    }
    return {"rounds": ROUNDS, **medians, **ratios}


def _in_turn(number: int, alone: Callable[[], float], ours: Callable[[], float]) -> tuple[float, ...]:
    """Wall and CPU seconds of both, of which the other one is first in each second round."""
    taken = {}
    for name, work in (("alone", alone), ("ours", ours))[:: -1 if number % 2 else 1]:
        started = time.perf_counter()
        cpu = work()
        taken[name] = (time.perf_counter() - started, cpu)
    return (*taken["alone"], *taken["ours"])


def _alone(ffmpeg: Path, clip: Path) -> Callable[[], float]:
    def work() -> float:
        before = psutil.Process().cpu_times()
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
            _run(ffmpeg, "-i", str(clip), *_ALONE, f"{folder}/preview.mp4")
        after = psutil.Process().cpu_times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    return work


def _ours(sandbox: Sandbox, clip: Path) -> Callable[[], float]:
    processor = processors.find(NAME)
    exact = recipe("preview", NAME, processor.version, processor.check({}))

    def work() -> float:
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
            ran = sandbox.run(exact, clip, Path(folder), processor.limits)
            ran.made()
            return ran.cpu_seconds

    return work


def _run(ffmpeg: Path, *arguments: str) -> None:
    subprocess.run([ffmpeg, "-nostdin", "-v", "error", "-y", *arguments], check=True)


def show(figures: dict[str, Any]) -> None:
    """Print the ratios beside their goal."""
    if not figures:
        print(f"preview of 10 s of 1080p: left out; {extras.remedy('media')}")
        return
    verdict = "met" if figures["wall_ratio"] >= GOAL else "missed"
    ratio, parts = figures["wall_ratio"], f"{figures['ours_wall']:.1f} s, alone {figures['alone_wall']:.1f} s"
    print(f"preview of 10 s of 1080p at 480p, {figures['rounds']} rounds: {ratio:.2f} of the speed of ffmpeg alone ({parts}),")
    print(f"  {figures['cpu_ratio']:.2f} by CPU time, goal {GOAL}: {verdict}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sluice-media-") as temporary:
        show(measure(Path(temporary)))
