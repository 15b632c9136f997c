"""Latency, throughput and overhead of the whole stack, beside the bare processing of the same files, in one run."""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from google.cloud.storage import Bucket, Client

from benchmarks import archives, cold_start, cost, documents, local_cloud, media, numbers, pictures, sandbox, streaming, tables
from benchmarks.bare import Bare
from benchmarks.processes import cpu_seconds
from benchmarks.subscriber import JobNotices
from tests.machine import Machine, running, variables

ROOT = Path(__file__).resolve().parent.parent
PHOTO = (ROOT / "tests" / "data" / "photo.jpg").read_bytes()
LATENCY_FILES = numbers.of("BENCH_LATENCY_FILES", 40, least=2)
THROUGHPUT_FILES = numbers.of("BENCH_THROUGHPUT_FILES", 200)
#: Kinds of files, each beside its bare engine.
KINDS = {"pictures": pictures, "documents": documents, "tables": tables, "media": media, "archives": archives}
#: Enough to keep the stack busy, few enough that the sender is not what is measured.
SENDERS = 4


def main() -> int:
    """Measure, print, and write benchmarks/results/<time>.json; status 1 when a goal is missed."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder, running(Machine(Path(folder) / "data")) as machine:
        with variables(machine.environment):
            bucket = Client(project="local-project").bucket("uploads")
            notices = JobNotices()
        try:
            _send(bucket, notices, [f"warm-up/{number}.jpg" for number in range(8)])
            latency = _latency(bucket, notices, machine)
            throughput = _throughput(bucket, notices, machine)
            spent = cost.measure(bucket, notices, machine)
        finally:
            notices.close()
    cold, alone = _in_a_folder(cold_start), _in_a_folder(local_cloud)
    made = {name: _in_a_folder(kind) for name, kind in KINDS.items()}
    figures = {"latency": latency, "throughput": throughput, "bare_cpu_ms_per_file": Bare(PHOTO).cpu_ms(THROUGHPUT_FILES)}
    price, streamed = sandbox.measure(ROOT / "tests" / "data" / "photo.jpg"), streaming.measure()
    figures |= {"sandbox": price, "cost": spent, "cold_start_ms": cold, "local_cloud": alone, "streaming": streamed, **made}
    _print(figures)
    is_met = cost.show(spent) & streaming.show(streamed)
    sandbox.show(price)
    for name, kind in KINDS.items():
        kind.show(made[name])
    cold_start.show(cold)
    local_cloud.show(alone)
    _write(figures)
    return 0 if is_met else 1


def _in_a_folder(part: ModuleType) -> Any:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        return part.measure(Path(folder))


def _latency(bucket: Bucket, notices: JobNotices, machine: Machine) -> dict[str, Any]:
    """Milliseconds from the end of an upload to its job's notice, one file at a time."""
    before = cpu_seconds(machine.pid)
    took = [_send(bucket, notices, [f"latency/{number}.jpg"]) * 1000 for number in range(LATENCY_FILES)]
    spent = _spent(machine, before, len(took))
    return {
        "files": len(took),
        "p50": statistics.median(took),
        "p95": statistics.quantiles(took, n=20)[-1],
        "cpu_ms_per_file": spent,
    }


def _throughput(bucket: Bucket, notices: JobNotices, machine: Machine) -> dict[str, Any]:
    """Files per second from the first upload to the last notice, with as many in work as the machine takes."""
    names = [f"throughput/{number}.jpg" for number in range(THROUGHPUT_FILES)]
    before, started = cpu_seconds(machine.pid), time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(lambda name: _upload(bucket, name), names))
    notices.wait_for(names)
    took = time.monotonic() - started
    return {"files": len(names), "files_per_second": len(names) / took, "cpu_ms_per_file": _spent(machine, before, len(names))}


def _spent(machine: Machine, before: dict[str, float], files: int) -> dict[str, float]:
    """CPU milliseconds per file of every process that had a part in it."""
    spent = {name: (seconds - before.get(name, 0)) * 1000 / files for name, seconds in cpu_seconds(machine.pid).items()}
    return {name: milliseconds for name, milliseconds in spent.items() if milliseconds >= 0.1}


def _send(bucket: Bucket, notices: JobNotices, names: list[str]) -> float:
    for name in names:
        _upload(bucket, name)
    uploaded = time.monotonic()
    return max(0.0, notices.wait_for(names) - uploaded)


def _upload(bucket: Bucket, name: str) -> None:
    bucket.blob(name).upload_from_string(PHOTO, content_type="image/jpeg")


def _print(figures: dict[str, Any]) -> None:
    latency, throughput, bare = figures["latency"], figures["throughput"], figures["bare_cpu_ms_per_file"]
    print(f"door to notice, {latency['files']} files one at a time:  p50 {latency['p50']:.0f} ms   p95 {latency['p95']:.0f} ms")
    print(f"throughput, {throughput['files']} files through the bucket:  {throughput['files_per_second']:.1f} files/s")
    print(f"bare processing, one process, nothing around it:  {bare:.1f} ms of CPU per file")
    for title, measured in (("one at a time", latency), ("under full load", throughput)):
        spent = measured["cpu_ms_per_file"]
        whole = sum(spent.values())
        measured |= {"overhead_cpu_ms_per_file": whole - bare, "ratio_to_bare": whole / bare}
        parts = ", ".join(f"{name} {milliseconds:.1f}" for name, milliseconds in sorted(spent.items()))
        print(f"{title}: {whole:.1f} ms of CPU per file ({parts}): overhead {whole - bare:.1f} ms, ratio {whole / bare:.2f}")


def _write(figures: dict[str, Any]) -> None:
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    now = datetime.now(UTC)
    path = ROOT / "benchmarks" / "results" / f"{now:%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"time": now.isoformat(), "machine": machine, **figures}, indent=1) + "\n")
    print(f"written to {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
