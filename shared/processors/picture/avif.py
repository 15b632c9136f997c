"""AVIF: the clean aperture, which Pillow ignores (ISO 14496-12 §12.1.4, ISO 23008-12 §6.5.9)."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from shared.processors.picture.prepared import Box, Prepared

_MAX_META_BYTES = 16 << 20


def prepare(source: Path) -> Prepared:
    """The crop is the clean aperture of the primary picture."""
    meta, end = _meta(source)
    try:
        crop = _aperture(meta)
    except (struct.error, IndexError, ZeroDivisionError):
        crop = None  # Pillow judges the file
    return Prepared("AVIF", source, crop=crop, is_short=end > source.stat().st_size)


def bit_depth(source: Path) -> int:
    """Bits per channel of the primary picture; 8 where the file does not state them (ISO 23008-12 §6.5.6)."""
    try:
        return _own(_meta(source)[0])[b"pixi"][5]
    except (LookupError, struct.error):
        return 8


def _meta(source: Path) -> tuple[bytes, int]:
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


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8:
            return
        yield kind, data[at + 8 : at + length]
        at += length


def _own(meta: bytes) -> dict[bytes, bytes]:
    """The properties of the primary picture."""
    inside = dict(_boxes(meta[4:]))
    properties = dict(_boxes(inside.get(b"iprp", b"")))
    listed = list(_boxes(properties.get(b"ipco", b"")))
    primary = inside.get(b"pitm", b"")
    item = int.from_bytes(primary[4:8] if primary[:1] != b"\0" else primary[4:6], "big")
    return dict(listed[place - 1] for place in _associated(properties.get(b"ipma", b""), item) if 0 < place <= len(listed))


def _aperture(meta: bytes) -> Box | None:
    own = _own(meta)
    if b"clap" not in own or b"ispe" not in own:
        return None
    return _box(int.from_bytes(own[b"ispe"][4:8], "big"), int.from_bytes(own[b"ispe"][8:12], "big"), own[b"clap"])


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


def _box(width: int, height: int, clap: bytes) -> Box | None:
    across, across_of, down, down_of, right, right_of, below, below_of = struct.unpack(">IIIIiIiI", clap)
    left = (width - across / across_of) / 2 + right / right_of
    top = (height - down / down_of) / 2 + below / below_of
    box = (round(left), round(top), round(left + across / across_of), round(top + down / down_of))
    is_inside = 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height
    return box if is_inside else None
