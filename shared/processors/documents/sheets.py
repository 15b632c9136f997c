"""The cells of Excel workbooks, row by row: values as stored, dates in ISO 8601. No formula is computed."""

import re
from array import array
from collections.abc import Iterator, Mapping

from shared.processors.documents.lines import Lines
from shared.processors.documents.numbers import shown
from shared.processors.documents.package import Package
from shared.processors.documents.reader import PAGE_BREAK
from shared.processors.documents.relations import Relations
from shared.processors.documents.styles import Styles

MAX_COLUMNS = 16_384
_COLUMN = re.compile(r"[A-Z]{1,3}")
_BREAKS = re.compile(r"[\r\n\t]+")
_BOOLEANS = {"0": "FALSE", "1": "TRUE"}


class Workbook:
    """The styles and shared texts of a workbook, and its sheets."""

    def __init__(self, package: Package, main: str) -> None:
        """Raises `BadFile`."""
        relations = Relations(package, main)
        self._package = package
        self._styles = Styles(package, main, relations.of("styles"))
        self._texts = _SharedTexts()
        for part in relations.of("sharedStrings"):
            package.parse(part, self._texts)

    def text(self, sheets: list[str]) -> Iterator[str]:
        """The text of these parts, a page each."""
        for number, part in enumerate(sheets):
            if number:
                yield PAGE_BREAK
            rows = _Rows(self._texts, self._styles)
            for _ in self._package.walk(part, rows):
                yield rows.lines.taken()


class _SharedTexts:
    """Texts that cells name by their number (ECMA-376-1 §18.4), in one block: objects would be far larger."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")
        self._is_text = False
        self._phonetic = 0

    def __getitem__(self, number: int) -> str:
        begin = self._ends[number - 1] if number else 0
        return self._bytes[begin : self._ends[number]].decode()

    def __len__(self) -> int:
        return len(self._ends)

    def start(self, tag: str, _found: Mapping[str, str]) -> None:
        self._is_text = tag == "t" and not self._phonetic
        self._phonetic += tag == "rPh"

    def end(self, tag: str) -> None:
        self._is_text = False
        self._phonetic -= tag == "rPh"
        if tag == "si":
            self._ends.append(len(self._bytes))

    def text(self, characters: str) -> None:
        if self._is_text:
            self._bytes += characters.encode()


class _Rows:
    """Writes the rows of a sheet (§18.3)."""

    def __init__(self, texts: _SharedTexts, styles: Styles) -> None:
        self.lines = Lines()
        self._texts, self._styles = texts, styles
        self._cell: Mapping[str, str] = {}
        self._value: list[str] = []
        self._column = self._phonetic = 0
        self._is_value = False

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        self._is_value = tag in ("v", "t") and not self._phonetic
        self._phonetic += tag == "rPh"
        if tag == "row":
            self._column = 0
        elif tag == "c":
            self._cell, self._value = dict(found), []
            column = _column(found.get("r", "")) or self._column + 1
            self.lines.end_cell(min(max(column - max(self._column, 1), 0), MAX_COLUMNS))
            self._column = max(column, self._column)

    def end(self, tag: str) -> None:
        self._is_value = False
        self._phonetic -= tag == "rPh"
        if tag == "c":
            self.lines.add(_BREAKS.sub(" ", self._shown("".join(self._value))))
        elif tag == "row":
            self.lines.end_line()

    def text(self, characters: str) -> None:
        if self._is_value:
            self._value.append(characters)

    def _shown(self, value: str) -> str:
        kind = self._cell.get("t", "n")
        if kind == "s":
            number = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else -1
            return self._texts[number] if 0 <= number < len(self._texts) else ""
        if kind == "b":
            return _BOOLEANS.get(value, value)
        return shown(value, self._styles.pattern(self._cell.get("s", "")), self._styles.is_1904) if kind == "n" else value


def _column(place: str) -> int:
    """`A1` → 1, `AB7` → 28; 0 where it is none."""
    found = _COLUMN.match(place)
    column = 0
    for letter in found[0] if found else "":
        column = column * 26 + ord(letter) - 64
    return column if column <= MAX_COLUMNS else 0
