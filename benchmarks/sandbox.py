"""The price of the sandbox: CPU time of a step on a photograph, in its child and in this process, in turn."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks import goals
from shared import processors
from shared.model import recipe
from shared.sandbox.service import Sandbox

PAIRS = 40
GOAL_MS = 6
NAME, OPTIONS = "image.renditions", {"sizes": [1024, 512, 256], "formats": ["webp"]}


def measure(photo: Path) -> dict[str, Any]:
    """Medians of pairs, in milliseconds of CPU: the child's, and those of the service and the zygote."""
    processor = processors.find(NAME)
    exact = recipe("thumbnails", NAME, processor.version, processor.check(OPTIONS))
    sandbox, pairs = Sandbox([NAME], 4 << 30), []

    def in_process(folder: Path) -> float:
        started = time.process_time()
        processor.run(photo, folder, exact.options)
        return time.process_time() - started

    def in_child(folder: Path) -> tuple[float, float]:
        before = time.process_time() + _cpu_seconds(sandbox)
        ran = sandbox.run(exact, photo, folder, processor.limits)
        ran.made()
        return ran.cpu_seconds, time.process_time() + _cpu_seconds(sandbox) - before

    try:
        for number in range(PAIRS + 2):
            with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
                bare = in_process(Path(folder))
            with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
                child, around = in_child(Path(folder))
            if number >= 2:  # the first ones load libraries
                pairs.append((bare * 1000, child * 1000, around * 1000))
    finally:
        sandbox.stop()
    more = [child + around - bare for bare, child, around in pairs]
    bare, child, around = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"in_process": bare, "child": child, "around": around, "more": statistics.median(more), "pairs": len(pairs)}


def _cpu_seconds(sandbox: Sandbox) -> float:
    """Those of the zygote, without its children."""
    times = psutil.Process(sandbox.zygote_pid).cpu_times() if sandbox.zygote_pid else None
    return times.user + times.system if times else 0.0


def show(figures: dict[str, Any]) -> None:
    """Print the price beside its goal, which `goals` scales."""
    parts = f"child {figures['child']:.1f}, around it {figures['around']:.1f}, in process {figures['in_process']:.1f}"
    goal = goals.verdict(figures["more"], GOAL_MS, goals.scale())
    print(
        f"sandbox, CPU of a step on a 1.5 MP photograph, {figures['pairs']} pairs: {figures['more']:.1f} ms more ({parts}), {goal}"
    )
