"""CPU goals hold on the machine where they were set. Another machine scales them by its time for fixed work.

The work is that of a step on a photograph as Pillow alone does it, so that a faster processor does not move its own goals.
"""

import functools
import io
import statistics
import time

from PIL import Image, ImageOps

from shared.settings import ROOT

#: CPU time of the fixed work on the machine of the goals.
REFERENCE_MS = 88.7
SIZES_PX = (1024, 512, 256)
ROUNDS = 9


@functools.cache
def scale() -> float:
    """The time of the fixed work here, as a multiple of that on the machine of the goals."""
    photo = (ROOT / "tests" / "data" / "photo.jpg").read_bytes()
    _work(photo)  # loads the codecs
    return statistics.median(_work(photo) for _ in range(ROUNDS)) / REFERENCE_MS


def verdict(spent_ms: float, goal_ms: float, scale: float) -> str:
    """The goal, the goal for a machine of this scale, and whether it is met."""
    here = goal_ms * scale
    return f"goal ≤ {goal_ms:g} ms × {scale:.2f} for this machine = {here:.1f} ms: {'met' if spent_ms <= here else 'MISSED'}"


def _work(photo: bytes) -> float:
    """Milliseconds of CPU for the three renditions of the shipped pipeline."""
    started = time.process_time()
    with Image.open(io.BytesIO(photo)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    for size in SIZES_PX:
        scale = size / max(picture.size)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
        picture.save(io.BytesIO(), "WEBP", quality=80, method=4)
    return (time.process_time() - started) * 1000
