"""Renditions by our processor, and the least that any program needs, one job a line on standard input."""

import functools
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from shared import processors

Job = Mapping[str, Any]

#: Of the encoders, that of our processor and of sharp.
_EFFORT: Mapping[str, Mapping[str, Any]] = {"webp": {"method": 4}, "jpeg": {"optimize": True}}


def ours(job: Job) -> None:
    """The renditions, as a step makes them."""
    processor = processors.find("image.renditions")
    options = {"sizes": job["sizes"], "formats": [job["format"]], "quality": job["quality"]}
    processor.run(Path(job["source"]), Path(job["folder"]), processor.check(options))


def limit(job: Job) -> None:
    """The decoder at a reduced scale, and the encoders on pictures that are already small: nothing between."""
    _decoded(job["source"], max(job["sizes"]))
    for size, picture in _small(job["source"], tuple(job["sizes"])).items():
        picture.save(Path(job["folder"]) / f"{size}.{job['format']}", quality=job["quality"], **_EFFORT[job["format"]])


def _decoded(source: str, size: int) -> Image.Image:
    with Image.open(source) as picture:
        scale = size / max(picture.size)
        picture.draft("RGB", (round(picture.width * scale), round(picture.height * scale)))
        picture.load()
        return picture


@functools.cache
def _small(source: str, sizes: tuple[int, ...]) -> Mapping[int, Image.Image]:
    small = {}
    for size in sizes:
        small[size] = _decoded(source, max(sizes)).copy()
        small[size].thumbnail((size, size), Image.Resampling.LANCZOS)
    return small


WORK: Mapping[str, Callable[[Job], None]] = {"ours": ours, "limit": limit}


def main() -> None:
    """Do each job, and answer with the CPU seconds of this process."""
    for line in sys.stdin:
        job = json.loads(line)
        before = time.process_time()
        WORK[job["kind"]](job)
        print(json.dumps({"cpu_seconds": time.process_time() - before}), flush=True)


if __name__ == "__main__":
    main()
