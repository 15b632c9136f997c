"""The local cloud alone: speed, start and memory, beside Google's Pub/Sub emulator and storage testbench.

Part of `make bench`; alone: `python -m benchmarks.local_cloud`.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import emulator, testbench
from localcloud.address import Ports
from tests.machine import ROOT, Machine, running

STARTS = 3
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure by its key, and what it should be: for a ratio to Google's program, or for itself."""

    title: str
    key: str
    least: float | None = None
    most: float | None = None
    is_ratio: bool = False

    @property
    def words(self) -> str:
        """`≥ 4 ×`, `99 to 101`, …"""
        suffix = " ×" if self.is_ratio else ""
        if self.least is None:
            return f"≤ {self.most:g}{suffix}"
        return f"≥ {self.least:g}{suffix}" if self.most is None else f"{self.least:g} to {self.most:g}{suffix}"

    def is_met(self, figure: float) -> bool:
        """Whether the figure, or the ratio, is within the goal."""
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)


GOOGLE = (
    Goal("Pub/Sub: streaming pull, messages/s", "pull_per_second", least=4, is_ratio=True),
    Goal("Pub/Sub: publish to arrival p50, ms", "latency_ms_p50", most=0.25, is_ratio=True),
    Goal("Pub/Sub: publish to arrival p99, ms", "latency_ms_p99", most=1, is_ratio=True),
    Goal("Pub/Sub: batched publish, messages/s", "publish_per_second", least=3, is_ratio=True),
    Goal("Storage: 1 KB uploads/s", "uploads_per_second", least=8, is_ratio=True),
)
OWN = (
    Goal("Storage: 1 KB uploads/s, 4 connections", "uploads_per_second", least=1500),
    Goal("Tasks: dispatches/s, 8 queues", "dispatches_per_second", least=1000),
    Goal("Tasks: a queue of 100/s, over 10 s", "at_100_per_second", least=98, most=102),
    Goal("start to first answer, ms", "start_ms", most=1000),
    Goal("memory after 30,000 messages, MB", "memory_mb", most=120),
)


def measure(folder: Path) -> Figures:
    """Everything, one thing after the other."""
    figures: Figures = {"google": {}}
    with emulator.running() as address:
        if address:
            figures["google"] |= _load("pubsub", address)
    with testbench.running() as port:
        if port:
            figures["google"] |= _load("storage", str(port))
    with running(Machine(folder / "pubsub", cloud_only=True)) as machine:
        figures |= _load("pubsub", machine.environment["PUBSUB_EMULATOR_HOST"])
        figures["memory_mb"] = psutil.Process(machine.pid).memory_info().rss / 1e6
    with running(Machine(folder / "http", cloud_only=True)) as machine:
        ports = Ports(machine.offset)
        figures |= _load("storage", str(ports.storage)) | _load("tasks", str(ports.tasks))
    figures["start_ms"] = statistics.median(_start_ms(folder / f"start-{number}") for number in range(STARTS))
    return figures


def show(figures: Figures) -> None:
    """Print a table with the goals beside."""
    google = figures["google"]
    print(f"{'the local cloud':<40}{'ours':>10}{'Google':>10}{'ratio':>8}   goal")
    for goal in (*GOOGLE, *OWN):
        print(_line(goal, figures[goal.key], google.get(goal.key) if goal.is_ratio else None))
    if "pull_per_second" not in google:
        print("Google's Pub/Sub emulator is not installed: nothing to compare with")
    if "uploads_per_second" not in google:
        print(f"{testbench.VARIABLE} names no clone of Google's storage testbench: nothing to compare uploads with")


def _line(goal: Goal, ours: float, google: float | None) -> str:
    ratio = ours / google if google else None
    judged = ratio if goal.is_ratio else ours
    verdict = "" if judged is None else "met" if goal.is_met(judged) else "MISSED"
    other = f"{google:10.1f}{ratio:8.2f}" if google else " " * 18
    return f"{goal.title:<40}{ours:10.1f}{other}   {goal.words:<12}{verdict}"


def _load(name: str, address: str) -> Figures:
    """The figures that a client process reports."""
    command = [sys.executable, "-m", f"benchmarks.loads.{name}", address]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    figures: Figures = json.loads(done.stdout)
    return figures


def _start_ms(folder: Path) -> float:
    """From the start of the process, keys and certificates still to be made, to the answer to a first request."""
    machine = Machine(folder, cloud_only=True)
    address = f"{machine.environment['STORAGE_EMULATOR_HOST']}/storage/v1/b?project=local-project"
    begun = time.monotonic()
    with running(machine):
        urllib.request.urlopen(address, timeout=30).close()
        return (time.monotonic() - begun) * 1000


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sluice-local-") as temporary:
        show(measure(Path(temporary)))
