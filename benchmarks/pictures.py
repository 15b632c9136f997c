"""Renditions of JPEGs: the CPU time of our processor beside sharp's and beside the least possible, on one core."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from benchmarks import likeness, numbers, sharp

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "tests" / "data" / "photo.jpg"
#: megapixels → width and height
SOURCES = {1: (1224, 816), 6: (3000, 2000), 24: (6000, 4000)}
SIZES = (1024, 512, 256)
QUALITY = 80
ROUNDS = numbers.of("BENCH_PICTURE_ROUNDS", 12)
#: kind of work → its process
RIVALS = {"ours": "ours", "limit": "ours", "each": "sharp", "cascade": "sharp"}
#: format → megapixels → how many times the CPU time of ours sharp should take, with one pipeline for each size
GOALS = {"webp": {1: 1.0, 6: 1.2, 24: 1.5}, "jpeg": {1: 1.0, 6: 1.4, 24: 1.5}}
CASCADE_GOAL = 1.0
#: How many times sharp's bytes ours may have.
BYTES_GOAL = 1.02

Figures = dict[str, Any]


class Worker:
    """A process that does jobs one at a time."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def cpu_ms(self, job: Mapping[str, Any]) -> float:
        """Do the job; the CPU time of the process for it. Raises `RuntimeError` when the process has ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {job['kind']!r} ended; its error is above")
        return float(json.loads(answer)["cpu_seconds"]) * 1000


def measure(folder: Path) -> Figures:
    """Every source in every format; without sharp, `why` says why it is left out."""
    figures: Figures = {"rounds": ROUNDS, "rows": []}
    with ExitStack() as stack:
        stack.enter_context(_one_core())
        workers = {"ours": stack.enter_context(Worker([sys.executable, "-m", "benchmarks.renditions"]))}
        try:
            workers["sharp"] = stack.enter_context(Worker(sharp.command()))
        except sharp.NoSharp as error:
            figures["why"] = str(error)
        for megapixels in SOURCES:
            source = _source(folder, megapixels)
            figures["rows"] += [_row(workers, source, megapixels, name) for name in GOALS]
    return figures


@contextmanager
def _one_core() -> Iterator[None]:
    """This process and its children on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _source(folder: Path, megapixels: int) -> Path:
    """A JPEG of this size: the photograph beside and above its mirror images, so that it has detail in every size."""
    size, path = SOURCES[megapixels], folder / f"{megapixels}.jpg"
    with Image.open(PHOTO) as photo:
        tile, canvas = photo.convert("RGB"), Image.new("RGB", size)
    for row, top in enumerate(range(0, size[1], tile.height)):
        for column, left in enumerate(range(0, size[0], tile.width)):
            turned = ImageOps.mirror(tile) if column % 2 else tile
            canvas.paste(ImageOps.flip(turned) if row % 2 else turned, (left, top))
    canvas.save(path, quality=90)
    return path


def _row(workers: Mapping[str, Worker], source: Path, megapixels: int, name: str) -> Figures:
    kinds = [kind for kind, rival in RIVALS.items() if rival in workers]
    folders = {kind: source.parent / f"{megapixels}-{name}-{kind}" for kind in kinds}
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    job = {"source": str(source), "sizes": SIZES, "format": name, "quality": QUALITY}
    for kind in kinds:  # the first job loads libraries
        folders[kind].mkdir()
        workers[RIVALS[kind]].cpu_ms(job | {"kind": kind, "folder": str(folders[kind])})
    for number in range(ROUNDS):
        for kind in kinds if number % 2 else reversed(kinds):
            spent[kind].append(workers[RIVALS[kind]].cpu_ms(job | {"kind": kind, "folder": str(folders[kind])}))
    return {"megapixels": megapixels, "format": name, "kinds": _kinds(spent, folders, source)}


def _kinds(spent: Mapping[str, list[float]], folders: Mapping[str, Path], source: Path) -> Figures:
    found: Figures = {}
    for kind, folder in folders.items():
        outputs = list(folder.iterdir())
        found[kind] = {
            "cpu_ms": statistics.median(spent[kind]),
            "to_ours": statistics.median(one / ours for one, ours in zip(spent[kind], spent["ours"], strict=True)),
            "bytes": sum(path.stat().st_size for path in outputs),
            "ssim": min(likeness.ssim(source, path) for path in outputs),
        }
    return found


def show(figures: Figures) -> None:
    """Print a line for each source and format, beside its goals."""
    print(f"renditions of a JPEG at {', '.join(map(str, SIZES))} px, on one core, {figures['rounds']} rounds:")
    if "why" in figures:
        print(f"  sharp is left out: {figures['why']}")
    for row in figures["rows"]:
        kinds = row["kinds"]
        ours, limit = kinds["ours"], kinds["limit"]
        title = f"  {row['megapixels']:>2} MP → {row['format']}: "
        print(
            f"{title}ours {ours['cpu_ms']:.0f} ms of CPU, the limit {limit['cpu_ms']:.0f} ms ({1 / limit['to_ours']:.2f} times)"
        )
        if "each" in kinds:
            goal = GOALS[row["format"]][row["megapixels"]]
            print(f"      sharp, a pipeline for each size: {_beside(kinds['each'], ours, goal)}")
            print(f"      sharp, decoding once:            {_beside(kinds['cascade'], ours, CASCADE_GOAL)}")


def _beside(other: Figures, ours: Figures, goal: float) -> str:
    time = f"{other['cpu_ms']:.0f} ms, {other['to_ours']:.2f} times ours, goal ≥ {goal}{_missed(other['to_ours'] >= goal)}"
    bytes_ratio = ours["bytes"] / other["bytes"]
    size = f"our bytes {bytes_ratio:.3f} times its, goal ≤ {BYTES_GOAL}{_missed(bytes_ratio <= BYTES_GOAL)}"
    likeness = f"SSIM ours {ours['ssim']:.4f}, its {other['ssim']:.4f}{_missed(ours['ssim'] >= other['ssim'])}"
    return f"{time}; {size}; {likeness}"


def _missed(is_met: bool) -> str:
    return "" if is_met else " MISSED"


def main() -> None:
    """Measure and print: `python -m benchmarks.pictures`."""
    with tempfile.TemporaryDirectory(prefix="sluice-pictures-") as folder:
        show(measure(Path(folder)))


if __name__ == "__main__":
    main()
