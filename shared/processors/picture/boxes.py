"""The boxes of AVIF and HEIC files, which describe their pictures (ISO 14496-12, ISO 23008-12)."""

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


def kinds(meta: bytes) -> list[bytes]:
    """The kinds of all items, such as `hvc1` (ISO 14496-12 §8.11.6)."""
    listed = dict(inside(meta[4:])).get(b"iinf", b"")
    entries = inside(listed[6 if listed[:1] == b"\0" else 8 :])
    return [entry[8:12] if entry[:1] == b"\2" else entry[10:14] for kind, entry in entries if kind == b"infe"]


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
