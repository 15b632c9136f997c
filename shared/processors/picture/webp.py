"""WebP: the size of its canvas, which the decoder allocates when it opens the file (RFC 9649 §2)."""

import struct
from collections.abc import Iterator
from pathlib import Path

from shared.processors.picture import memory
from shared.processors.picture.parts import Span, joined
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import check_size, truncated

_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")
_IS_ANIMATED = 0x02
#: Bytes for each pixel: two canvases, which the decoder allocates when it opens the file; then its picture, and Pillow's.
_CANVASES_BYTES, _DECODED_BYTES = 8, 16


def prepare(source: Path, max_pixels: int) -> Prepared:
    """Raises `BadFile` for a canvas above the limit; an animation counts twice, as it is decoded onto two.

    Raises `MemoryError` where the decoder has no memory for its canvases.
    """
    size = source.stat().st_size
    with source.open("rb") as stream:
        head = stream.read(30)
        chunks = list(_chunks(source, size))
    if len(head) < 30:
        raise truncated()
    pixels = _check(head, max_pixels)
    memory.require(_CANVASES_BYTES * pixels)
    whole = [(kind, span) for kind, span in chunks if span.start + span.length <= size]
    announced = 8 + int.from_bytes(head[4:8], "little")
    if announced <= size:
        return Prepared("WEBP", source, memory_bytes=_DECODED_BYTES * pixels)
    if not any(kind in _PIXELS for kind, _span in whole):
        return Prepared("WEBP", source, is_short=True)
    spans = [span for _kind, span in whole]
    total = 4 + sum(span.length for span in spans)
    file = joined(source, b"RIFF", struct.pack("<I", total), b"WEBP", *spans)
    return Prepared("WEBP", file, is_short=True, memory_bytes=_DECODED_BYTES * pixels)


def _check(head: bytes, max_pixels: int) -> int:
    """The pixels of the canvas; 0 where the first chunk does not state them."""
    width, height, is_animated = 0, 0, False
    if head[12:16] == b"VP8X":
        width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        is_animated = bool(head[20] & _IS_ANIMATED)
    elif head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif head[12:16] == b"VP8 ":
        width, height = (length & 0x3FFF for length in struct.unpack_from("<HH", head, 26))
    check_size(width, height, max_pixels // 2 if is_animated else max_pixels)
    return width * height


def _chunks(source: Path, size: int) -> Iterator[tuple[bytes, Span]]:
    with source.open("rb") as stream:
        at = 12
        while at + 8 <= size:
            stream.seek(at)
            kind, length = struct.unpack("<4sI", stream.read(8))
            padded = min(length + length % 2, max(length, size - at - 8))  # the last one may lack its padding
            yield kind, Span(at, 8 + padded)
            at += 8 + padded
