"""The cost of a small picture under the shipped pipeline: calls, list price and CPU time, beside their goals.

The local cloud counts the calls. CPU time is paired: blocks of bare processing alternate with blocks of files through the stack, so
that a busy machine slows both.
"""

import argparse
import io
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import Any

from google.cloud.storage import Bucket
from PIL import Image

from benchmarks import goals, numbers, prices
from benchmarks.bare import Bare
from benchmarks.processes import cpu_seconds
from benchmarks.subscriber import JobNotices
from localcloud.calls import CALLS_PATH
from localcloud.control import ask
from tests.eventually import eventually
from tests.machine import ROOT, Machine

BLOCK_FILES = 25
FILES = numbers.of("BENCH_COST_FILES", 200, least=BLOCK_FILES)
SENDERS = 4
PHOTO = ROOT / "tests" / "data" / "photo.jpg"
SIZE_PX = 160, 107
#: Of the functions, beyond the bare processing; three steps in the sandbox are a part of it.
CPU_GOAL_MS = 27

FIELDS = "service", "operation", "place"
Call = tuple[str, str, str]
Figures = dict[str, Any]
#: The sender's own call, and those of this benchmark.
UPLOAD: Call = ("storage", "objects.insert (multipart)", "uploads")
OURS = ("Subscriber.", "buckets.")


def measure(bucket: Bucket, notices: JobNotices, machine: Machine) -> Figures:
    """Send the files, in blocks; figures per file."""
    picture = _picture()
    bare, names = Bare(picture), (f"cost/{number:06}.jpg" for number in count())

    def send(files: int) -> None:
        _send(bucket, notices, picture, list(islice(names, files)))
        _settled(machine)

    send(2 * SENDERS)  # opens every connection
    _calls(machine, "DELETE")
    bytes_before = notices.total_bytes
    blocks = [_block(machine, bare, send) for _ in range(FILES // BLOCK_FILES)]
    files = len(blocks) * BLOCK_FILES
    calls = {call: number / files for call, number in _calls(machine, "GET").items() if not call[1].startswith(OURS)}
    calls[UPLOAD] -= 1
    price = prices.dollars(calls, (notices.total_bytes - bytes_before) / files)
    return {"files": files, "calls": rows(calls, bare.outputs), "dollars_per_million": price, "cpu_ms": _medians(blocks)}


def show(figures: Figures) -> bool:
    """Print the figures beside their goals, which `goals` scales; whether every goal of calls is met."""
    width, height = SIZE_PX
    print(f"cost per picture, {width}×{height} JPEG, {figures['files']} files through the bucket; the upload is not counted")
    for row in figures["calls"]:
        goal = f"goal {row['goal']}: {'met' if row['is_met'] else 'MISSED'}"
        print(f"  {row['service']:<8} {row['operation']:<28} {row['place']:<14}{row['per_file']:6.2f}   {goal}")
    price = figures["dollars_per_million"]
    parts = ", ".join(f"{part} {dollars:.2f}" for part, dollars in price.items())
    print(f"  list price of a million files: ${sum(price.values()):.2f} ({parts}); of their uploads: ${prices.UPLOAD:.2f}")
    _show_cpu(figures["cpu_ms"])
    return all(row["is_met"] for row in figures["calls"])


def _show_cpu(cpu: Figures) -> None:
    parts = ", ".join(f"{name} {ms:.1f}" for name, ms in cpu["by_function"].items() if ms >= 0.05)
    goal = goals.verdict(cpu["overhead"], CPU_GOAL_MS, goals.scale())
    print(f"  CPU per file, medians: functions {cpu['functions']:.1f} ms ({parts}), bare processing {cpu['bare']:.1f} ms")
    overhead = f"{cpu['overhead']:.1f} ms, {cpu['overhead_to_bare']:.2f} × the bare processing"
    print(f"  overhead of the functions: {overhead}, {goal}; the local cloud: {cpu['cloud']:.1f} ms")


def rows(calls: dict[Call, float], outputs: int) -> list[Figures]:
    """Each call beside its goal. A call without a goal should not be."""
    goals = {
        ("storage", "objects.insert (multipart)", "results"): outputs + 2,  # the manifest and the index entry
        ("storage", "objects.get (media)", "uploads"): 1,
        ("storage", "objects.get (media)", "results"): 0,
        ("tasks", "tasks.create", "images"): 1,
        ("tasks", "dispatch", "images"): 1,
        ("pubsub", "push", "dispatcher"): 1,
        ("pubsub", "Publisher.Publish", "completions"): 1,
    }
    goals |= dict.fromkeys(sorted(call for call in calls if calls[call] and call not in goals), 0)
    return [_row(call, calls.get(call, 0), goal) for call, goal in goals.items()]


def _row(call: Call, per_file: float, goal: int) -> Figures:
    return {**dict(zip(FIELDS, call, strict=True)), "per_file": per_file, "goal": goal, "is_met": per_file <= goal}


def _block(machine: Machine, bare: Bare, send: Callable[[int], None]) -> dict[str, float]:
    """CPU milliseconds per file: `bare`, and of each process of the stack."""
    alone = bare.cpu_ms(BLOCK_FILES)
    before = cpu_seconds(machine.pid)
    send(BLOCK_FILES)
    after = cpu_seconds(machine.pid)
    return {"bare": alone} | {name: (seconds - before.get(name, 0)) * 1000 / BLOCK_FILES for name, seconds in after.items()}


def _medians(blocks: list[dict[str, float]]) -> Figures:
    functions = sorted(blocks[0].keys() - {"bare", "cloud"})
    by_function = {name: statistics.median(block[name] for block in blocks) for name in functions}
    sums = [sum(block[name] for name in functions) for block in blocks]
    overheads = [spent - block["bare"] for spent, block in zip(sums, blocks, strict=True)]
    ratio = statistics.median(overhead / block["bare"] for overhead, block in zip(overheads, blocks, strict=True))
    own = {name: statistics.median(block[name] for block in blocks) for name in ("bare", "cloud")}
    medians = {"functions": statistics.median(sums), "overhead": statistics.median(overheads), "overhead_to_bare": ratio}
    return {**medians, **own, "by_function": by_function}


def _send(bucket: Bucket, notices: JobNotices, picture: bytes, names: list[str]) -> None:
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(lambda name: bucket.blob(name).upload_from_string(picture, content_type="image/jpeg"), names))
    notices.wait_for(names)


def _settled(machine: Machine) -> None:
    """Return once no call was served for 0.3 s: a job's notice is not the last of its calls."""
    counts: list[dict[Call, int]] = [{}]

    def is_still() -> bool:
        counts.append(_calls(machine, "GET"))
        return counts[-1] == counts[-2]

    eventually(is_still, "the end of all calls", pause_seconds=0.3)


def _calls(machine: Machine, method: str) -> dict[Call, int]:
    rows = ask(method, CALLS_PATH, argparse.Namespace(port_offset=machine.offset))
    return {(row["service"], row["operation"], row["place"]): int(row["calls"]) for row in rows}


def _picture() -> bytes:
    encoded = io.BytesIO()
    with Image.open(PHOTO) as photo:
        photo.resize(SIZE_PX).save(encoded, "JPEG")
    return encoded.getvalue()
