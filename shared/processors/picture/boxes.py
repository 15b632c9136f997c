"""The boxes of AVIF and HEIC files, which describe their pictures (ISO 14496-12, ISO 23008-12)."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAX_META_BYTES = 16 << 20


def meta(source: Path) -> tuple[bytes, int]:
    """The contents of the first `meta` box, and the end that the boxes state."""
    size = source.stat().st_size
    meta, end = b"", 0
    with source.open("rb") as stream:
        for kind, start, length in _top(stream, size):
            end = start + length
            if kind == b"meta" and length <= _MAX_META_BYTES and not meta:
                stream.seek(start + 8)
                meta = stream.read(length - 8)
    return meta, end


def _top(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    while at + 8 <= size:
        stream.seek(at)
        length, kind = struct.unpack(">I4s", stream.read(8))
        if length == 1 and at + 16 <= size:
            (length,) = struct.unpack(">Q", stream.read(8))
        length = length or size - at
        if length < 8:
            return
        yield kind, at, length
        at += length


def inside(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and contents of each box."""
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8:
            return
        yield kind, data[at + 8 : at + length]
        at += length


def properties(meta: bytes) -> list[tuple[bytes, bytes]]:
    """The properties of the primary picture, in the order in which they apply (ISO 23008-12 §6.5)."""
    found = dict(inside(meta[4:]))
    held = dict(inside(found.get(b"iprp", b"")))
    listed = list(inside(held.get(b"ipco", b"")))
    primary = found.get(b"pitm", b"")
    item = int.from_bytes(primary[4:8] if primary[:1] != b"\0" else primary[4:6], "big")
    return [listed[place - 1] for place in _associated(held.get(b"ipma", b""), item) if 0 < place <= len(listed)]


def kinds(meta: bytes) -> dict[int, bytes]:
    """The kinds of all items, such as `hvc1`, by their numbers (ISO 14496-12 §8.11.6)."""
    listed = dict(inside(meta[4:])).get(b"iinf", b"")
    entries = [entry for kind, entry in inside(listed[6 if listed[:1] == b"\0" else 8 :]) if kind == b"infe"]
    wide = [4 if entry[:1] == b"\3" else 2 for entry in entries]
    return {int.from_bytes(one[4 : 4 + by], "big"): one[6 + by : 10 + by] for one, by in zip(entries, wide, strict=True)}


def places(meta: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, start and length of each part of an item that lies in the file itself (ISO 14496-12 §8.11.3)."""
    table = io.BytesIO(dict(inside(meta[4:])).get(b"iloc", b""))

    def taken(length: int) -> int:
        return int.from_bytes(table.read(length), "big")

    version, sizes = taken(1), (taken(3), taken(2))[1]
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(taken(2 if version < 2 else 4)):
        item = taken(2 if version < 2 else 4)
        is_elsewhere = version > 0 and taken(2) & 15
        is_elsewhere = taken(2) or is_elsewhere
        start = taken(base)
        for _ in range(taken(2)):
            taken(index if version > 0 else 0)
            at, count = taken(offset), taken(length)
            if not is_elsewhere:
                yield item, start + at, count
        if table.tell() == len(table.getbuffer()):
            return


def _associated(table: bytes, wanted: int) -> Iterator[int]:
    """The places of a picture's properties in the list of all."""
    id_bytes = 4 if table[:1] != b"\0" else 2
    place_bytes = 2 if table[3:4] and table[3] & 1 else 1
    at = 8
    for _ in range(int.from_bytes(table[4:8], "big")):
        item, count = int.from_bytes(table[at : at + id_bytes], "big"), table[at + id_bytes]
        at += id_bytes + 1
        for _ in range(count):
            place = int.from_bytes(table[at : at + place_bytes], "big") & (0x7FFF if place_bytes == 2 else 0x7F)
            at += place_bytes
            if item == wanted:
                yield place
