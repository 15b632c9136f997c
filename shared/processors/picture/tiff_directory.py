"""The directories of a TIFF, read without Pillow, which builds lists as long as a file claims (TIFF 6.0 §2)."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shared.processors.picture.refusals import too_much_metadata

_MAX_ENTRIES = 4096
_MAX_VALUES = 4096
_MAX_PAGES = 1000
#: field type → struct format; other types are not needed here
_TYPES = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class Directory:
    """One page: the first values of each tag, and how many values each claims."""

    values: Mapping[int, tuple[int, ...]]
    counts: Mapping[int, int]

    def first(self, tag: int, default: int = 0) -> int:
        return next(iter(self.values.get(tag, ())), default)


def pages(source: Path) -> list[Directory]:
    """The directories in their chain, as far as the file has them. Raises `BadFile` for one with too many entries."""
    with source.open("rb") as stream:
        reader = _Reader(stream)
        return list(reader.chain(reader.begin()))


def nested(source: Path, offsets: tuple[int, ...]) -> list[Directory]:
    """The directories at these offsets, such as those of a raw file's sub-directories."""
    with source.open("rb") as stream:
        reader = _Reader(stream)
        reader.begin()
        return [directory for offset in offsets[:16] for directory, _next in [reader.directory(offset)] if directory]


class _Reader:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._order = "<"
        self._is_big = False

    def begin(self) -> int:
        """The offset of the first directory."""
        head = self._stream.read(16)
        self._order = "<" if head[:2] == b"II" else ">"
        self._is_big = 43 in head[2:4]
        return self._number(head[8:16]) if self._is_big else self._number(head[4:8])

    def chain(self, offset: int) -> Iterator[Directory]:
        seen: set[int] = set()
        while offset and offset not in seen and len(seen) < _MAX_PAGES:
            seen.add(offset)
            directory, offset = self.directory(offset)
            if directory:
                yield directory

    def directory(self, offset: int) -> tuple[Directory | None, int]:
        """The directory there, and the offset of the next; None where the file ends."""
        count_bytes, entry_bytes = (8, 20) if self._is_big else (2, 12)
        count = self._number(self._read(offset, count_bytes))
        held = len(self._read(offset + count_bytes, (_MAX_ENTRIES + 1) * entry_bytes)) // entry_bytes
        if held > _MAX_ENTRIES and count > _MAX_ENTRIES:
            raise too_much_metadata(f"a directory of the TIFF has {count:,} entries; the limit is {_MAX_ENTRIES:,}")
        if not 0 < count <= held:
            return None, 0
        entries = self._read(offset + count_bytes, count * entry_bytes)
        values: dict[int, tuple[int, ...]] = {}
        counts: dict[int, int] = {}
        for at in range(0, len(entries), entry_bytes):
            tag, values_there, counted = self._entry(entries[at : at + entry_bytes])
            values.setdefault(tag, values_there)
            counts.setdefault(tag, counted)
        following = self._read(offset + count_bytes + len(entries), 8 if self._is_big else 4)
        return Directory(values, counts), self._number(following)

    def _entry(self, entry: bytes) -> tuple[int, tuple[int, ...], int]:
        tag, kind = struct.unpack(f"{self._order}HH", entry[:4])
        inline = entry[12:] if self._is_big else entry[8:]
        count = self._number(entry[4 : len(entry) - len(inline)])
        if kind not in _TYPES:
            return tag, (), count
        read = min(count, _MAX_VALUES)
        length = struct.calcsize(_TYPES[kind]) * read
        is_inline = struct.calcsize(_TYPES[kind]) * count <= len(inline)
        data = inline[:length] if is_inline else self._read(self._number(inline), length)
        if len(data) < length:
            return tag, (), count
        return tag, struct.unpack(f"{self._order}{read}{_TYPES[kind]}", data), count

    def _number(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self._order == "<" else "big")

    def _read(self, offset: int, length: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(length)
