"""The chunks of a PNG: damage is found, and what the pixels do not need is left out (PNG 3 §5, §13)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from shared.processors.picture.parts import Span, joined
from shared.processors.picture.png_pixels import Header, Stored
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import corrupt, too_much_metadata, truncated, unsupported

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
#: Ancillary chunks that change pixels or turn the picture. Text is read only for the EXIF data of old ImageMagick.
_KEPT = (b"tRNS", b"iCCP", b"eXIf")
_EXIF_TEXT = b"Raw profile type exif\0"
_PALETTE = 3
_BLOCK_BYTES = 1 << 20
_MAX_PROFILE_BYTES = 16 << 20
_MAX_CHUNKS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    start: int
    length: int
    data: bytes
    is_whole: bool
    is_intact: bool

    @property
    def end(self) -> int:
        return self.start + 12 + self.length


def prepare(source: Path) -> Prepared:
    """Raises `BadFile` for damage in chunks that the pixels need; broken ancillary chunks are left out."""
    with source.open("rb") as stream:
        size = source.stat().st_size
        chunks = [chunk for chunk in _chunks(stream, size) if _is_needed(chunk)]
    header = _header(chunks)
    if not any(chunk.kind == b"IDAT" for chunk in chunks):
        raise truncated()
    if header[9] == _PALETTE and not any(chunk.kind == b"PLTE" for chunk in chunks):
        raise corrupt("its palette is missing")
    before = [_whole(chunk) for chunk in chunks if chunk.kind not in (b"IDAT", b"IEND")]
    pixels = [part for chunk in chunks if chunk.kind == b"IDAT" for part in _parts(chunk, size)]
    file = partial(joined, source, _SIGNATURE, *before, *pixels, _chunk(b"IEND", b""))
    data = [Span(chunk.start + 8, chunk.length) for chunk in chunks if chunk.kind == b"IDAT"]
    key = next((chunk.data for chunk in chunks if chunk.kind == b"tRNS"), b"")
    stored = Stored(file, partial(joined, source, *data), Header(*struct.unpack(">IIBBBBB", header)), key)
    return Prepared("PNG", file(), mend=stored.mended)


def frames(source: Path) -> int:
    """The frames of an animation; 1 for a picture (PNG 3 §11.3.6.1)."""
    with source.open("rb") as stream:
        for chunk in _chunks(stream, source.stat().st_size):
            if chunk.kind == b"acTL":
                return max(1, int.from_bytes(chunk.data[:4], "big"))
            if chunk.kind == b"IDAT":
                break
    return 1


def _chunks(stream: BinaryIO, size: int) -> Iterator[_Chunk]:
    at = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        chunk = _read(stream, at, size)
        if chunk is None:
            return
        if not chunk.is_intact and chunk.kind not in _CRITICAL and not _begins_chunk(stream, chunk.end, size):
            at = _next_critical(stream, chunk.start + 8, size)
            continue
        yield chunk
        if chunk.kind == b"IEND":
            return
        at = chunk.end
    raise too_much_metadata(f"it has more than {_MAX_CHUNKS:,} chunks")


def _read(stream: BinaryIO, at: int, size: int) -> _Chunk | None:
    stream.seek(at)
    head = stream.read(8)
    if len(head) < 8:
        return None
    length, kind = struct.unpack(">I4s", head)
    data, crc = b"", zlib.crc32(kind)
    keeps, left = kind not in (b"IDAT", b"fdAT"), min(length, max(size - at - 8, 0))
    while left and (block := stream.read(min(left, _BLOCK_BYTES))):
        crc = zlib.crc32(block, crc)
        data += block if keeps and len(data) < _MAX_PROFILE_BYTES else b""
        left -= len(block)
    stored = stream.read(4)
    return _Chunk(kind, at, length, data, at + 12 + length <= size, stored == struct.pack(">I", crc))


def _begins_chunk(stream: BinaryIO, at: int, size: int) -> bool:
    stream.seek(at)
    head = stream.read(8)
    return len(head) == 8 and head[4:].isalpha() and at + 12 + int.from_bytes(head[:4], "big") <= size


def _next_critical(stream: BinaryIO, at: int, size: int) -> int:
    """Where the next critical chunk begins after a chunk whose length is wrong, or the end of the file."""
    stream.seek(at)
    rest = stream.read()
    found = [place for kind in _CRITICAL if (place := rest.find(kind)) >= 4]
    return at + min(found) - 4 if found else size


def _is_needed(chunk: _Chunk) -> bool:
    """Raises `BadFile` for damage in a critical chunk."""
    if chunk.kind in _CRITICAL:
        if chunk.is_whole and not chunk.is_intact and chunk.kind != b"IEND":
            raise corrupt(f"its chunk {chunk.kind.decode()} has a wrong checksum")
        return True
    if chunk.kind == b"CgBI":
        raise unsupported("a PNG in Apple's own variant (CgBI)")
    if not chunk.kind.isalpha() or chunk.kind[0] < ord("a"):
        raise corrupt(f"it has an unknown critical chunk at byte {chunk.start}")
    if not chunk.is_intact:
        return False
    if chunk.kind == b"iCCP":
        _check_profile(chunk.data)
    return chunk.kind in _KEPT or (chunk.kind in (b"tEXt", b"zTXt") and chunk.data.startswith(_EXIF_TEXT))


def _check_profile(data: bytes) -> None:
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(data.partition(b"\0")[2][1:], _MAX_PROFILE_BYTES)
    except zlib.error:
        return  # Pillow ignores it
    if unpacker.unconsumed_tail:
        raise too_much_metadata(f"its colour profile has more than {_MAX_PROFILE_BYTES >> 20} MiB")


def _header(chunks: list[_Chunk]) -> bytes:
    if not chunks or chunks[0].kind != b"IHDR":
        raise corrupt("its first chunk is not IHDR") if chunks else truncated()
    if not chunks[0].is_whole:
        raise truncated()
    if chunks[0].length != 13:
        raise corrupt(f"its header has {chunks[0].length} bytes instead of 13")
    return chunks[0].data


def _whole(chunk: _Chunk) -> bytes:
    if not chunk.is_whole:
        raise truncated()
    return _chunk(chunk.kind, chunk.data)


def _parts(chunk: _Chunk, size: int) -> list[bytes | Span]:
    """The chunk, as far as the file has it."""
    if chunk.is_whole:
        return [Span(chunk.start, chunk.end - chunk.start)]
    length = max(min(chunk.length, size - chunk.start - 8), 0)
    return [struct.pack(">I", length), chunk.kind, Span(chunk.start + 8, length), bytes(4)]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
