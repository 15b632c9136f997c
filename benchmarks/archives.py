"""The time to list a zip archive of 10,000 members, beside that in which `zipfile` reads its directory, in turn."""

import statistics
import time
import zipfile
from pathlib import Path
from typing import Any

from shared import processors

MEMBERS = 10_000
PAIRS = 20
GOAL = 1.2


def measure(folder: Path) -> dict[str, Any]:
    """Milliseconds of CPU, the least of all pairs, and their ratio. The folder is empty."""
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(MEMBERS):
            archive.writestr(f"folder/name-{number}.txt", "x" * (number % 100))
    processor = processors.find("archive.list")
    options, pairs = processor.check({}), []
    for _ in range(PAIRS + 1):
        started = time.process_time()
        _read(path)
        between = time.process_time()
        processor.run(path, folder, options)
        pairs.append((between - started, time.process_time() - between))
    bare, listed = (min(column) * 1000 for column in zip(*pairs[1:], strict=True))  # the first pair loads libraries
    median = statistics.median(second / first for first, second in pairs[1:])
    return {"members": MEMBERS, "zipfile_ms": bare, "listed_ms": listed, "ratio": listed / bare, "median_ratio": median}


def _read(path: Path) -> None:
    """A function, so that the members are gone before ours are made: the garbage collector would look through both."""
    with zipfile.ZipFile(path) as archive:
        archive.infolist()


def show(figures: dict[str, Any]) -> None:
    """Print the ratio beside its goal."""
    verdict = "met" if figures["ratio"] <= GOAL else "MISSED"
    parts = f"{figures['listed_ms']:.1f} ms, zipfile {figures['zipfile_ms']:.1f} ms"
    print(
        f"zip of {figures['members']:,} members listed: {figures['ratio']:.2f} times zipfile ({parts}), goal ≤ {GOAL}: {verdict}"
    )
