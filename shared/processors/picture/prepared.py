"""A file that is ready for Pillow, with the repairs of what Pillow reads wrongly."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

Box = tuple[int, int, int, int]


def _nothing(_picture: Any) -> None:
    pass


def _same(picture: Image.Image) -> Image.Image:
    return picture


@dataclass(frozen=True, slots=True)
class Prepared:
    """`select` works on the opened picture before its pixels are decoded, `mend` on the decoded one.

    `crop` is a box in pixels as stored, of a size known from the container. `is_short` says that the container ends too early;
    `name` describes the picture where Pillow may not open its kind. `memory_bytes` is the memory for its pixels of a decoder that
    calls a file corrupt when it lacks some.
    """

    format: str
    file: Path | BinaryIO
    select: Callable[[Any], None] = _nothing
    mend: Callable[[Image.Image], Image.Image] = _same
    crop: Box | None = None
    is_short: bool = False
    name: str = ""
    memory_bytes: int = 0
