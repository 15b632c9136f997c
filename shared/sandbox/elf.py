"""Programs in ELF (man 5 elf): the loader that the kernel executes along with one that is not static."""

import struct

_HEADER = struct.Struct("<4sBB10x16xQ14xHH")  # mark, class, byte order; place of the table of segments; bytes of a row, rows
_SEGMENT = struct.Struct("<IIQQQQ")
_64_BITS, _LITTLE_ENDIAN, _INTERPRETER = 2, 1, 3
_MOST_SEGMENTS, _MOST_CHARACTERS = 64, 4096


def loader_of(path: str) -> str:
    """The path of its loader; empty for a static program, and for what is no ELF file. Raises `OSError`."""
    with open(path, "rb") as file:  # noqa: PTH123  (less code, so less memory, than `Path`)
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return ""
        mark, bits, order, table, row_bytes, rows = _HEADER.unpack(head)
        if (mark, bits, order) != (b"\x7fELF", _64_BITS, _LITTLE_ENDIAN):
            return ""
        for number in range(min(rows, _MOST_SEGMENTS)):
            file.seek(table + number * row_bytes)
            row = file.read(_SEGMENT.size)
            if len(row) < _SEGMENT.size:
                return ""
            kind, _flags, place, _address, _physical, size = _SEGMENT.unpack(row)
            if kind == _INTERPRETER:
                file.seek(place)
                return file.read(min(size, _MOST_CHARACTERS)).rstrip(b"\0").decode()
    return ""
