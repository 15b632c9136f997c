"""GIF files made block by block (GIF89a), so that no library's reading of the format hides in them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

#: A table of four colours: red, green, blue, white.
TABLE = bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
FOR_EVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
_CLEAR, _END, _CODE_BITS = 4, 5, 3


@dataclass(frozen=True)
class Frame:
    """A rectangle at `box` with a colour of the table for each pixel, or one for all."""

    box: tuple[int, int, int, int]
    colours: Sequence[int]
    disposal: int = 1
    hundredths: int = 10
    transparent: int | None = None
    #: colours of its own: four, or none
    table: bytes = b""


def gif(size: tuple[int, int], *frames: Frame, extra: bytes = FOR_EVER) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x81, 0, 0) + TABLE
    return head + extra + b"".join(_frame(frame) for frame in frames) + b";"


def _frame(frame: Frame) -> bytes:
    left, top, right, bottom = frame.box
    has_transparency = frame.transparent is not None
    control = struct.pack("<BHB", frame.disposal << 2 | has_transparency, frame.hundredths, frame.transparent or 0)
    place = struct.pack("<HHHHB", left, top, right - left, bottom - top, 0x81 if frame.table else 0)
    count = (right - left) * (bottom - top)
    colours = frame.colours if len(frame.colours) == count else [frame.colours[0]] * count
    return b"\x21\xf9\x04" + control + b"\0\x2c" + place + frame.table + b"\x02" + _blocks(_compressed(colours)) + b"\0"


def _compressed(colours: Sequence[int]) -> bytes:
    """LZW without any dictionary: it is cleared before each pixel, so that codes keep three bits."""
    codes = [code for colour in colours for code in (_CLEAR, colour)] + [_END]
    bits = sum(code << place * _CODE_BITS for place, code in enumerate(codes))
    return bits.to_bytes((len(codes) * _CODE_BITS + 7) // 8, "little")


def _blocks(data: bytes) -> bytes:
    return b"".join(bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255))
