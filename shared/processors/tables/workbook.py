"""Excel and OpenDocument workbooks by calamine. Formulas have the values that were saved; none is evaluated."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import python_calamine as calamine

from shared.errors import BadFile
from shared.processors.tables.cells import check_area, check_package
from shared.processors.tables.relation import check_columns

#: Rows among which the header is looked for.
HEADER_ROWS = 20
#: A header has at most so many characters in a name.
MAX_NAME = 100
EMPTY = ""

Row = list[Any]


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, and the number of rows above the data; `skipped` of them come before the header."""

    names: list[str]
    skipped: int
    is_written: bool

    @property
    def above(self) -> int:
        """Rows before the first one of data."""
        return self.skipped + self.is_written


class Sheet:
    """A sheet with its cells."""

    def __init__(self, sheet: calamine.CalamineSheet, is_visible: bool) -> None:
        """Raises `BadFile`."""
        self.name, self.is_visible, self._sheet = sheet.name, is_visible, sheet
        check_area(sheet.height, sheet.width)
        check_columns(sheet.width)
        self.header = _header(sheet.to_python(nrows=HEADER_ROWS), sheet.width)

    def rows(self, most: int) -> Iterator[list[Row]]:
        """The rows below the header, in blocks of so many."""
        width, start = len(self.header.names), self._sheet.start[0] if self._sheet.start else 0
        every = islice(self._sheet.iter_rows(), start + self.header.above, None)
        while block := list(islice(every, most)):
            yield block if len(block[0]) == width else [row[-width:] for row in block]


class Workbook:
    """An open workbook."""

    def __init__(self, source: Path, is_compound: bool) -> None:
        """Raises `BadFile`."""
        self.format = "xls" if is_compound else check_package(source)
        with _refusals():
            self._book = calamine.CalamineWorkbook.from_path(source)
            self._listed = [one for one in self._book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]

    @property
    def count(self) -> int:
        """The number of its sheets; those that only hold a chart do not count."""
        return len(self._listed)

    def sheets(self, most: int) -> Iterator[Sheet]:
        """The first sheets. Raises `BadFile`."""
        for one in self._listed[:most]:
            with _refusals():
                sheet = Sheet(self._book.get_sheet_by_name(one.name), one.visible == calamine.SheetVisibleEnum.Visible)
            yield sheet


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except calamine.PasswordError:
        raise BadFile("the workbook is locked with a password; save it without one", "password") from None
    except (calamine.CalamineError, zipfile.BadZipFile):
        raise _damaged() from None
    except OSError as error:
        if error.errno:
            raise
        raise _damaged() from None  # a record that ends too early
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged() from None  # of Rust: no `Exception`, and without a name to import


def _damaged() -> BadFile:
    return BadFile("the workbook is damaged and cannot be read", "corrupt")


def _header(head: list[Row], width: int) -> Header:
    """The first of the fullest rows, where all its cells are text; rows above it are titles."""
    filled = [sum(cell != EMPTY for cell in row) for row in head]
    number = filled.index(max(filled)) if filled else 0
    cells = head[number] if head else []
    if any(cells) and all(isinstance(cell, str) for cell in cells):
        return Header(unique([cell.strip()[:MAX_NAME] for cell in cells]), number, True)
    return Header(unique([EMPTY] * width), 0, False)


def unique(names: list[str]) -> list[str]:
    """Names as DuckDB makes them: `column2` for an empty one, `a_1` for the second `a`, whatever its case."""
    found: dict[str, str] = {}
    for index, name in enumerate(names):
        wanted, count = name or f"column{index}", 0
        while (candidate := f"{wanted}_{count}" if count else wanted).lower() in found:
            count += 1
        found[candidate.lower()] = candidate
    return list(found.values())
