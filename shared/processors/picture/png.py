"""The chunks of a PNG: damage is found, and what the pixels do not need is left out (PNG 3 §5, §13)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import Image, ImageChops

from shared.processors.picture.greys import to_eight_bits
from shared.processors.picture.parts import Span, joined
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import corrupt, too_much_metadata, truncated, unsupported

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
#: Ancillary chunks that change pixels or turn the picture. Text is read only for the EXIF data of old ImageMagick.
_KEPT = (b"tRNS", b"iCCP", b"eXIf")
_EXIF_TEXT = b"Raw profile type exif\0"
_BLOCK_BYTES = 1 << 20
_MAX_PROFILE_BYTES = 16 << 20
_MAX_CHUNKS = 1_000_000
_GREY, _RGB = 0, 2


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
    depth, colour = header[8], header[9]
    before = [_whole(chunk) for chunk in chunks if chunk.kind not in (b"IDAT", b"IEND")]
    pixels = [_span(chunk, size) for chunk in chunks if chunk.kind == b"IDAT"]
    file = partial(joined, source, _SIGNATURE, *before, *pixels, _chunk(b"IEND", b""))
    key = next((struct.unpack(f">{len(chunk.data) // 2}H", chunk.data) for chunk in chunks if _is_key(chunk, colour)), ())
    return Prepared("PNG", file(), mend=partial(_mended, file, depth, key))


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


def _is_key(chunk: _Chunk, colour: int) -> bool:
    """Whether the chunk names the one colour that is transparent."""
    return chunk.kind == b"tRNS" and {_GREY: 2, _RGB: 6}.get(colour) == chunk.length


def _whole(chunk: _Chunk) -> bytes:
    if not chunk.is_whole:
        raise truncated()
    return _chunk(chunk.kind, chunk.data)


def _span(chunk: _Chunk, size: int) -> Span:
    return Span(chunk.start, min(chunk.end, size) - chunk.start)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _mended(file: Any, depth: int, key: tuple[int, ...], picture: Image.Image) -> Image.Image:
    """Greys of 8 bits, and transparency by the colour as stored: Pillow compares it with pixels of another depth."""
    alpha = _alpha(file, picture, depth, key) if key and picture.mode in ("1", "L", "RGB", "I;16") else None
    if picture.mode == "I;16":
        picture = to_eight_bits(picture, depth)
    if alpha is None:
        return picture
    solid = picture.convert("L") if picture.mode == "1" else picture
    solid.info.pop("transparency", None)
    return Image.merge(solid.mode + "A", (*solid.split(), alpha))


def _alpha(file: Any, picture: Image.Image, depth: int, key: tuple[int, ...]) -> Image.Image:
    wanted = [value & ((1 << depth) - 1) for value in key]
    if picture.mode == "I;16":
        lookup = [0 if value == wanted[0] else 255 for value in range(1 << 16)]
        return picture.convert("I").point(lookup, "L")
    if depth < 8:
        return _equal(picture.convert("L"), [wanted[0] * 255 // ((1 << depth) - 1)])
    if depth == 8:
        return _equal(picture, wanted)
    high, low = [value >> 8 for value in wanted], [value & 255 for value in wanted]
    with Image.open(file(), formats=["PNG"]) as again:
        again.tile = [tile._replace(args="RGB;16L") for tile in cast("Any", again).tile]
        again.load()
        return ImageChops.lighter(_equal(picture, high), _equal(again, low))


def _equal(picture: Image.Image, wanted: list[int]) -> Image.Image:
    """0 where every channel has the wanted value, 255 elsewhere."""
    masks = [
        band.point([0 if value == one else 255 for value in range(256)])
        for band, one in zip(picture.split(), wanted, strict=True)
    ]
    alpha = masks[0]
    for mask in masks[1:]:
        alpha = ImageChops.lighter(alpha, mask)
    return alpha
