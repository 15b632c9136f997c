"""The extent of the sheets of an OpenDocument file, where one element may stand for a million cells."""

from collections.abc import Callable, Mapping
from typing import IO
from xml.parsers import expat

from shared.errors import BadFile

_BLOCK_BYTES = 1 << 16
#: Local names of attributes (OpenDocument 1.3, part 3, §19).
_ROWS, _COLUMNS, _VALUE = "number-rows-repeated", "number-columns-repeated", "value-type"

Check = Callable[[int, int], None]


class _Extent:
    """The rectangle of a sheet's filled cells; empty ones at the end of a row or sheet do not count."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._rows = self._width = 0
        self._skipped = self._repeats = self._at = self._filled = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        tag, found = _local(tag), {_local(name): value for name, value in attributes.items()}
        if tag == "table":
            self._rows = self._width = self._skipped = 0
        elif tag == "table-row":
            self._repeats, self._at, self._filled = _count(found, _ROWS), 0, 0
        elif tag in ("table-cell", "covered-table-cell"):
            self._at += _count(found, _COLUMNS)
            if _VALUE in found:
                self._filled = self._at

    def end(self, tag: str) -> None:
        if _local(tag) != "table-row":
            return
        if self._filled:
            self._rows += self._skipped + self._repeats
            self._width, self._skipped = max(self._width, self._filled), 0
            self._check(self._rows, self._width)
        else:
            self._skipped += self._repeats


def check_repeats(part: IO[bytes], check: Check) -> None:
    """Call `check` with the rows and columns of each sheet, as they grow. Raises `BadFile`."""
    extent = _Extent(check)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = extent.start
    parser.EndElementHandler = extent.end
    try:
        while block := part.read(_BLOCK_BYTES):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise BadFile("the workbook is damaged and cannot be read", "corrupt") from None


def _count(found: Mapping[str, str], name: str) -> int:
    text = found.get(name, "1")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 1


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
