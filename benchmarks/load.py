"""`make load`: files at once through the doors of a stack of its own, and the limits that hold meanwhile.

The doors are measured at rest; then come a tenth of the files for their CPU time, all files at once, and another tenth.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.loads import judging
from benchmarks.loads.judging import Row
from benchmarks.loads.stack import LoadedStack
from benchmarks.subscriber import JobNotices
from local import pipeline
from shared.model import file_id
from tests.machine import Machine, running, variables

PIPELINE = Path(__file__).parent / "loads" / "pipeline.toml"
FILES, LEAST_FILES = 10_000, 100
#: At rest, each door has one sender, which rests after a file. Under load none does.
IDLE_FILES, IDLE_SECONDS = 300, 0.5
#: A first sweep, which loads libraries, comes before the load: the doors at rest and the first tenth take longer.
SWEEP_SECONDS = 60


def main() -> int:
    """Run the load and print its table; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description="Files at once through the doors.")
    parser.add_argument(
        "--files", type=int, default=FILES, metavar="N", help=f"how many, {LEAST_FILES} or more (default: {FILES})"
    )
    files = parser.parse_args().files
    if files < LEAST_FILES:
        parser.error(f"--files {files} is too few for a percentile; write {LEAST_FILES} or more")
    with tempfile.TemporaryDirectory(prefix="sluice-load-") as folder, variables({"SLUICE_PIPELINE": str(PIPELINE)}):
        rows = _in_a_folder(Path(folder), files)
    _show(rows)
    return 1 if any(row.is_kept is False for row in rows) else 0


def _in_a_folder(folder: Path, files: int) -> list[Row]:
    with running(Machine(folder / "data", sweep_seconds=SWEEP_SECONDS)) as machine, variables(machine.environment):
        notices = JobNotices()
        try:
            return list(_rows(LoadedStack(machine, notices, pipeline.load()), files))
        finally:
            notices.close()


def _rows(stack: LoadedStack, files: int) -> Iterator[Row]:
    print("the doors at rest", flush=True)
    stack.send("warm-up", IDLE_FILES)
    idle = stack.send("idle", IDLE_FILES, senders=1, pause_seconds=IDLE_SECONDS)
    print(f"CPU time of {files // 10} files", flush=True)
    first = stack.cpu("first", files // 10)
    print(f"{files} files at once", flush=True)
    looks, took = stack.load("load", files)
    print(f"CPU time of {files // 10} files", flush=True)
    last = stack.cpu("last", files // 10)
    yield from judging.doors(took, idle)
    yield from judging.rates(looks, stack.limits())
    yield from judging.memory(looks)
    yield from judging.cpu(first, last, files)
    yield from judging.verdicts([file_id("uploads", name) for name in stack.names], stack.entries())


def _show(rows: list[Row]) -> None:
    widths = [max(len(getattr(row, column)) for row in rows) for column in ("title", "figure", "limit")]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip((row.title, row.figure, row.limit), widths, strict=True))
        print("  ".join([*cells, {True: "met", False: "MISSED", None: "not judged"}[row.is_kept]]))


if __name__ == "__main__":
    sys.exit(main())
