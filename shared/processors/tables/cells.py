"""The limits of workbooks, checked before they are opened: calamine holds a sheet's whole rectangle in memory."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from shared.errors import BadFile
from shared.processors.tables.ods import check_repeats
from shared.processors.tables.xlsb import check_extent

#: Of the rectangle around a sheet's cells.
MAX_CELLS = 5_000_000
#: Of all parts of a workbook, unpacked.
MAX_BYTES, MAX_PARTS = 512 << 20, 50_000
_BLOCK_BYTES, _OVERLAP_BYTES = 1 << 20, 256
#: Parts of a workbook of XML without cells; any other may be a sheet.
_NO_SHEETS_OF_XML = ("/sharedstrings.xml", "/styles.xml", ".rels", ".bin", ".png", ".jpeg")
#: Parts of a binary workbook without records of cells.
_NO_SHEETS = ("/workbook.bin", "/sharedstrings.bin", "/styles.bin", ".xml", ".rels", ".png", ".jpeg")
#: Cells beyond column Z or row 189,999; sheets without them are within `MAX_CELLS`, and are not looked through cell by cell.
_FAR = re.compile(rb"""r=["'](?:[A-Z]{2,3}[0-9]|[A-Z](?:19[0-9]{4}|[2-9][0-9]{5}|[0-9]{7})["'])""")
#: Places of cells; then those of cells that have a value, not only a style.
_PLACE = re.compile(rb"""r=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["'][^>]*(?<!/)>""")


def check_package(source: Path) -> str:
    """The format of a zipped workbook: `xlsx`, `xlsb` or `ods`. Raises `BadFile`."""
    try:
        with zipfile.ZipFile(source) as package:
            if any(part.header_offset < 0 for part in package.filelist):
                raise zipfile.BadZipFile
            kind = _kind(package)
            _check_parts(package, kind)
            return kind
    except RuntimeError:  # a part is encrypted
        raise BadFile("the workbook is locked with a password; save it without one", "password") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, KeyError):
        raise BadFile("the workbook is damaged and cannot be read", "corrupt") from None


def check_area(rows: int, columns: int) -> None:
    """Refuse a sheet whose cells span too large a rectangle. Raises `BadFile`."""
    if rows * columns > MAX_CELLS:
        spans = f"{rows:,} rows by {columns:,} columns"
        raise BadFile(
            f"a sheet spans {spans}, more than {MAX_CELLS:,} cells; delete stray cells, or send CSV", "table_too_large"
        )


def _kind(package: zipfile.ZipFile) -> str:
    names = package.NameToInfo
    if len(names) > MAX_PARTS:
        raise BadFile(f"the workbook has more than {MAX_PARTS:,} parts", "unpacks_too_large")
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "mimetype" in names and b"opendocument.spreadsheet" in package.open("mimetype").read(200):
        return "ods"
    raise BadFile("a zip archive that is no workbook cannot be read; send xlsx, xlsb, xls, ods, CSV or Parquet", "unsupported")


def _check_parts(package: zipfile.ZipFile, kind: str) -> None:
    """Look through every part that calamine reads. One with more bytes than its header states is damaged."""
    # Whatever its case: calamine looks for names in such a way, and a sheet may have any.
    parts = [part for name, part in package.NameToInfo.items() if name.lower().startswith("xl/") or name == "content.xml"]
    if sum(part.file_size for part in parts) > MAX_BYTES:
        raise BadFile(f"the workbook unpacks to more than {MAX_BYTES >> 20} MB", "unpacks_too_large")
    for part in parts:
        is_sheet = kind == "xlsx" and not part.filename.lower().endswith(_NO_SHEETS_OF_XML)
        if _is_far(package, part.filename, is_sheet):
            _check_cells(package, part.filename)
        if kind == "xlsb" and not part.filename.lower().endswith(_NO_SHEETS):
            with package.open(part) as records:
                check_extent(records, check_area)
    if kind == "ods":
        with package.open("content.xml") as content:
            check_repeats(content, check_area)


def _is_far(package: zipfile.ZipFile, name: str, is_sheet: bool) -> bool:
    """Whether a sheet has cells beyond the near ones; every part is checked for a document type."""
    is_xml, found = name.endswith((".xml", ".rels")), False
    with package.open(name) as part:
        for block in _blocks(part):
            if is_xml and b"<!DOCTYPE" in block:
                raise BadFile("the workbook declares a document type, which no program writes; save it anew", "corrupt")
            found = found or (is_sheet and _FAR.search(block) is not None)
    return found


def _check_cells(package: zipfile.ZipFile, name: str) -> None:
    rows, columns = _extent(package, name, _PLACE)
    if rows * columns > MAX_CELLS:
        check_area(*_extent(package, name, _CELL))


def _extent(package: zipfile.ZipFile, name: str, pattern: re.Pattern[bytes]) -> tuple[int, int]:
    """Rows and columns of the rectangle around the cells that the pattern finds."""
    rows: set[int] = set()
    columns: set[bytes] = set()
    with package.open(name) as part:
        for block in _blocks(part):
            found = pattern.findall(block)
            columns.update(column for column, _ in found)
            if numbers := [*rows, *(int(row) for _, row in found)]:
                rows = {min(numbers), max(numbers)}
    across = [_number(column) for column in columns]
    return (max(rows) - min(rows) + 1, max(across) - min(across) + 1) if rows else (0, 0)


def _blocks(part: IO[bytes]) -> Iterator[bytes]:
    """Blocks that overlap, so that none cuts what is looked for."""
    tail = b" " * _OVERLAP_BYTES
    while block := part.read(_BLOCK_BYTES):
        yield tail + block
        tail = (tail + block)[-_OVERLAP_BYTES:]


def _number(column: bytes) -> int:
    """`A` is 1, `XFD` is 16,384."""
    number = 0
    for letter in column:
        number = number * 26 + letter - ord("A") + 1
    return number
