"""A file made of parts of other files, so that a container is mended without a copy of its pixels."""

import io
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, cast


@dataclass(frozen=True, slots=True)
class Span:
    """`length` bytes of the original from `start` on."""

    start: int
    length: int


class Parts(io.RawIOBase):
    """Reads bytes and spans of a file, one after the other, as one file."""

    def __init__(self, source: Path, parts: Sequence[bytes | Span]) -> None:
        self._source = source.open("rb")
        self._parts = [part for part in parts if _length(part)]
        self._starts = [0, *accumulate(_length(part) for part in self._parts)]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        if not 0 <= self._at < self._starts[-1]:
            return 0
        place = bisect_right(self._starts, self._at) - 1
        part, skipped = self._parts[place], self._at - self._starts[place]
        wanted = min(len(view), _length(part) - skipped)
        data = part[skipped : skipped + wanted] if isinstance(part, bytes) else self._read(part.start + skipped, wanted)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._source.close()
        super().close()

    def _read(self, start: int, length: int) -> bytes:
        self._source.seek(start)
        return self._source.read(length)


def joined(source: Path, *parts: bytes | Span) -> BinaryIO:
    """The parts as one file that can be read and sought."""
    return cast("BinaryIO", io.BufferedReader(Parts(source, parts), 1 << 16))


def _length(part: bytes | Span) -> int:
    return len(part) if isinstance(part, bytes) else part.length
