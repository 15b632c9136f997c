"""The frame and the scans of a JPEG, read from its markers (ISO 10918-1 annex B)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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
_WITHOUT_LENGTH = frozenset((0x00, 0x01, 0xFF, *range(0xD0, 0xD9)))
#: Longest starts of a file that are searched for the frame; profiles and previews may stand before it.
_HEADER_BYTES = (256 << 10, 32 << 20)


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    start: int
    body: bytes


def prepare(source: Path) -> Prepared:
    """Raises `BadFile` for a JPEG of a kind that libjpeg does not decode to 8 bits."""
    frame = next((frame for most in _HEADER_BYTES if (frame := _frame(_read(source, most)))), None)
    if frame is None or len(frame.body) < 6:
        return Prepared("JPEG", source)
    _check(frame.marker, frame.body)
    return Prepared("JPEG", source, memory_bytes=_coefficients_bytes(frame.body) if frame.marker in _PROGRESSIVE else 0)


def with_end(source: Path) -> BinaryIO:
    """The file with the end marker that it lacks."""
    length = len(_read(source).rstrip(b"\xff"))  # the first half of a marker
    return joined(source, Span(0, length), _END)


def padded(source: Path) -> BinaryIO:
    """The file with bytes after its pixels, which a decoder reads where pixels are missing."""
    data = _read(source)
    end = next((segment.start for segment in _segments(data) if segment.marker == _END[1]), len(data.rstrip(b"\xff")))
    return joined(source, Span(0, end), _FILLER, _END)


def has_every_scan(source: Path) -> bool:
    """Whether every coefficient of every component is announced by a scan, to its last bit (ISO 10918-1 §G.1.1.1)."""
    data = _read(source)
    frame = _frame(data)
    if frame is None or len(frame.body) < 6:
        return False
    last = 63 if frame.marker in _PROGRESSIVE else 0
    components = frame.body[6 : 6 + 3 * frame.body[5] : 3]
    scans = (segment.body for segment in _segments(data) if segment.marker == _SCAN)
    seen = {pair for scan in scans for pair in _finished(scan, last)}
    return seen >= {(component, place) for component in components for place in range(last + 1)}


def _read(source: Path, most: int = -1) -> bytes:
    with source.open("rb") as stream:
        return stream.read(most)


def _frame(data: bytes) -> _Segment | None:
    return next((segment for segment in _segments(data) if segment.marker in _FRAMES), None)


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


def _coefficients_bytes(body: bytes) -> int:
    """All coefficients of the picture, which libjpeg holds until the last scan of a progressive one."""
    height, width, components = struct.unpack(">HHB", body[1:6])
    samplings = [(byte >> 4, byte & 15) for byte in body[7 : 6 + 3 * components : 3]]
    most = max((across * down for across, down in samplings), default=0)
    return 2 * width * height * sum(across * down for across, down in samplings) // most if most else 0


def _segments(data: bytes) -> Iterator[_Segment]:
    """The segments up to the end marker. Among pixels, 0xFF is followed by 0 or by a marker."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 2 <= len(data):
        marker = data[at + 1]
        if marker in _WITHOUT_LENGTH:
            at += 1
            continue
        length = 0 if marker == _END[1] else int.from_bytes(data[at + 2 : at + 4], "big")
        yield _Segment(marker, at, data[at + 4 : at + 2 + length])
        if marker == _END[1]:
            return
        at += 2 + length
