"""The extent of a sheet of a binary workbook ([MS-XLSB]), where two cells of a few bytes may span a billion."""

import io
from collections.abc import Callable
from typing import IO

#: Types of records (§2.3): a row; cells with a value, from an encoded number to a formula's error; the end of all rows.
_ROW, _FIRST_CELL, _LAST_CELL, _END = 0, 2, 11, 0x92
#: The first field of a row is its number, that of a cell its column.
_FIELD_BYTES = 4
_BLOCK_BYTES = 1 << 20
#: The size of a record has at most so many bytes, of seven bits each (§2.1.4).
_SIZE_BYTES = 4

Check = Callable[[int, int], None]


def check_extent(part: IO[bytes], check: Check) -> None:
    """Call `check` with the rows and columns around the cells with a value, as they grow.

    A part that ends too early only ends it: whoever reads the cells finds that as well.
    """
    stream: IO[bytes] = io.BufferedReader(part, _BLOCK_BYTES)  # type: ignore[type-var]
    row, top, bottom, left, right = 0, 1 << 32, -1, 1 << 32, -1
    while kind := stream.read(1):
        number = kind[0] if kind[0] < 0x80 else kind[0] & 0x7F | int.from_bytes(stream.read(1)) << 7
        if number == _END:
            return
        field = _field(stream)
        if number == _ROW:
            row = field
        elif _FIRST_CELL <= number <= _LAST_CELL and not (top <= row <= bottom and left <= field <= right):
            top, bottom, left, right = min(top, row), max(bottom, row), min(left, field), max(right, field)
            check(bottom - top + 1, right - left + 1)


def _field(stream: IO[bytes]) -> int:
    """The first field of the record whose size follows."""
    size = shift = 0
    for _ in range(_SIZE_BYTES):
        byte = int.from_bytes(stream.read(1))
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    field = int.from_bytes(stream.read(min(size, _FIELD_BYTES)), "little")
    size -= _FIELD_BYTES
    while size > 0 and (skipped := stream.read(min(size, _BLOCK_BYTES))):
        size -= len(skipped)
    return field
