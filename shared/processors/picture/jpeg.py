"""The frame and the scans of a JPEG, read from its markers (ISO 10918-1 annex B)."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.processors.picture.parts import Span, joined
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import unsupported

_END = b"\xff\xd9"
#: Every byte but 0xFF, in an order that decodes to no flat colour.
_FILLER = bytes(7 * place % 255 for place in range(4096))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_HIERARCHICAL = (0xC5, 0xC6, 0xCD, 0xCE, 0xDE)
_PROGRESSIVE = (0xC2, 0xCA)
_SCAN = 0xDA
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))
#: Longest start of a file that is searched for the frame; profiles and previews stand before it.
_MAX_HEADER_BYTES = 32 << 20


def prepare(source: Path) -> Prepared:
    """Raises `BadFile` for a JPEG of a kind that libjpeg does not decode to 8 bits."""
    with source.open("rb") as stream:
        data = stream.read(_MAX_HEADER_BYTES)
    frame = next((segment for segment in _segments(data) if segment.marker in _FRAMES), None)
    if frame and len(frame.body) >= 6:
        _check(frame.marker, frame.body)
    return Prepared("JPEG", source)


def with_end(source: Path, *, padded: bool) -> Prepared:
    """The file with an end marker; `padded` puts bytes before it, which a decoder reads where pixels are missing."""
    data = source.read_bytes()
    size = len(data.rstrip(b"\xff"))  # the first half of a marker
    return Prepared("JPEG", joined(source, Span(0, size), _FILLER if padded else b"", _END))


def has_every_scan(source: Path) -> bool:
    """Whether every coefficient of every component is announced by a scan, to its last bit (ISO 10918-1 §G.1.1.1)."""
    data = source.read_bytes()
    segments = list(_segments(data))
    frame = next((segment for segment in segments if segment.marker in _FRAMES), None)
    if frame is None or segments[-1].marker != _SCAN:
        return False
    last = 63 if frame.marker in _PROGRESSIVE else 0
    components = frame.body[6 : 6 + 3 * frame.body[5] : 3]
    seen = {pair for scan in _scans(data, segments[-1].start) for pair in _finished(scan, last)}
    return seen >= {(component, place) for component in components for place in range(last + 1)}


def _finished(scan: bytes, last: int) -> Iterator[tuple[int, int]]:
    """Each component and coefficient that this scan brings to its last bit."""
    count = scan[0] if scan else 0
    if len(scan) < 4 + 2 * count:
        return
    first, end, precision = scan[1 + 2 * count], scan[2 + 2 * count], scan[3 + 2 * count] & 15
    places = range(first, min(end, last) + 1) if last else range(1)
    if precision == 0 or not last:
        yield from ((scan[1 + 2 * place], at) for place in range(count) for at in places)


def _check(marker: int, body: bytes) -> None:
    bits, height, _width, components = struct.unpack(">BHHB", body[:6])
    if marker in _LOSSLESS:
        raise unsupported("a lossless JPEG")
    if marker in _HIERARCHICAL:
        raise unsupported("a hierarchical JPEG")
    if bits != 8:
        raise unsupported(f"a JPEG with {bits} bits per channel")
    if components not in (1, 3, 4):
        raise unsupported(f"a JPEG with {components} channels")
    if height == 0:
        raise unsupported("a JPEG that states its height after its pixels")


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    start: int
    body: bytes


def _segments(data: bytes) -> Iterator[_Segment]:
    """The segments before the pixels; the header of the first scan is the last one."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0x00, 0xFF) or marker in _WITHOUT_LENGTH:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield _Segment(marker, at, data[at + 4 : at + 2 + length])
        if marker == _SCAN:
            return
        at += 2 + length


def _scans(data: bytes, start: int) -> Iterator[bytes]:
    """The header of each scan: among pixels, 0xFF is followed by 0 or by a marker."""
    for found in re.compile(rb"\xff\xda(..)", re.DOTALL).finditer(data, start):
        yield data[found.end() : found.start() + 2 + int.from_bytes(found[1], "big")]
