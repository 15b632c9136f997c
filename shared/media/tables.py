"""Tables in text: comma, semicolon or tab separates as many columns in every row. Prose with commas is none."""

import csv
import re

CSV, TSV = "text/csv", "text/tab-separated-values"
#: In this order: a table with tabs or semicolons may have commas in its cells.
_DELIMITERS = (("\t", TSV), (";", CSV), (",", CSV))
_MIN_ROWS = 2
_MAX_ROWS = 200
#: Of a table's cell; the words of a sentence are more.
_MAX_CELL = 200
#: The milliseconds of a log's time, before its message.
_TIME = re.compile(r"\d,\d{3} ")


def by_columns(text: str, *, is_whole: bool) -> str | None:
    """CSV or TSV where the rows agree, else None; `text` is the whole file or its beginning."""
    lines = text.removeprefix("\ufeff").splitlines()
    complete = lines if is_whole else lines[:-1]
    return next((kind for delimiter, kind in _DELIMITERS if _is_table(complete, delimiter)), None)


def _is_table(lines: list[str], delimiter: str) -> bool:
    if not lines or delimiter not in lines[0]:
        return False
    try:
        rows = [row for row in csv.reader(lines[:_MAX_ROWS], delimiter=delimiter, strict=True) if row]
    except csv.Error:
        return False
    if len(lines) > len(rows) and rows and len(rows[-1]) < len(rows[0]):
        rows.pop()  # cut off within quotes
    width = len(rows[0]) if rows else 0
    if len(rows) < _MIN_ROWS or width < 2 or any(len(row) != width for row in rows):
        return False
    return not _is_prose(lines, rows, delimiter) and not _is_code(rows)


def _is_prose(lines: list[str], rows: list[list[str]], delimiter: str) -> bool:
    """Whether the delimiters are those of sentences, or of times in a log."""
    if delimiter == "\t":
        return False
    spaced = sum(line.count(delimiter + " ") for line in lines)
    if spaced * 2 > sum(line.count(delimiter) for line in lines):
        return True
    return any(len(cell) > _MAX_CELL for cell in rows[0]) or all(_TIME.search(line) for line in lines if line)


def _is_code(rows: list[list[str]]) -> bool:
    """Whether brackets open and close in different cells, or the first or last column is empty."""
    if any(not any(row[edge].strip() for row in rows) for edge in (0, -1)):
        return True
    pairs = (("(", ")"), ("[", "]"), ("{", "}"))
    return any(cell.count(left) != cell.count(right) for row in rows for cell in row for left, right in pairs)
