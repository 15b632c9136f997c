"""The way that a CSV file is written, as DuckDB finds it: delimiter, quotes, header, types of columns."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from shared.errors import BadFile
from shared.processors.tables.engine import literal, refusals, rows
from shared.processors.tables.relation import Column, check_columns

HEAD_BYTES = 5 << 20
#: DuckDB's own limit.
MAX_LINE_BYTES = 2_000_000
_DELIMITERS = b",;\t|"
_LIKELY = (b"\t", b"|", b";", b",")
_QUOTED = re.compile(rb'"[^"]*"')
_NEVER = 1 << 30
_FIELDS = "Delimiter, Quote, Escape, SkipRows, HasHeader, Columns, DateFormat, TimestampFormat, Comment"
_NONE = "(empty)"
_SAMPLE_BYTES, _SAMPLE_LINES = 256 << 10, 1000
_LENIENT = "quote = '\"', strict_mode = false, ignore_errors = true"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The way that a file is written."""

    delimiter: str
    quote: str
    escape: str
    comment: str
    skipped: int
    has_header: bool
    columns: tuple[Column, ...]
    date_format: str
    timestamp_format: str
    decimal: str = "."

    def arguments(self) -> str:
        """Arguments of `read_csv`, behind the path. Nothing is left to be guessed."""
        types = ", ".join(f"{literal(column.name)}: {literal(column.sql_type)}" for column in self.columns)
        given = {
            "auto_detect": "false",
            "delim": literal(self.delimiter),
            "quote": literal(self.quote),
            "escape": literal(self.escape),
            "comment": literal(self.comment),
            "skip": str(self.skipped),
            "header": str(self.has_header).lower(),
            "decimal_separator": literal(self.decimal),
            "columns": f"{{{types}}}",
        }
        if self.date_format:
            given["dateformat"] = literal(self.date_format)
        if self.timestamp_format:
            given["timestampformat"] = literal(self.timestamp_format)
        return ", ".join(f"{name} = {value}" for name, value in given.items())


def check_head(head: bytes) -> None:
    """Refuse what is no text, and far too many columns, before DuckDB takes minutes for them. Raises `BadFile`."""
    if b"\0" in head:
        raise BadFile("the file is no table: it has bytes of the value zero, as no text has", "not_a_text")
    first, *others = re.split(rb"[\r\n]+", head.lstrip())
    if max(map(len, others), default=0) > MAX_LINE_BYTES:
        raise BadFile("a line is above 2 MB; a quote may never close", "corrupt")
    check_columns(max(first.count(bytes([one])) for one in _DELIMITERS) + 1)


def detected(connection: duckdb.DuckDBPyConnection, path: Path) -> Dialect:
    """The dialect of this file. Raises `BadFile`."""
    found = _strict(connection, path)
    delimiter, skipped = _likely(path)
    if delimiter and (found is None or found.delimiter != delimiter or found.skipped > skipped):
        # One uneven row among the first, and DuckDB takes the whole for a single column, or decimal commas for delimiters.
        found = _sniffed(connection, path, f"delim = {literal(delimiter)}, skip = {skipped}", _LENIENT)
    if found is None:
        raise BadFile("the rows cannot be told apart: lines above 2 MB, or quotes that never close", "corrupt")
    check_columns(len(found.columns))
    return _with_commas(connection, path, found)


def _strict(connection: duckdb.DuckDBPyConnection, path: Path) -> Dialect | None:
    try:
        return _sniffed(connection, path)
    except BadFile:
        return None


def _likely(path: Path) -> tuple[str, int]:
    """The delimiter that at least half of the first lines have equally often, and the lines above; else empty.

    Of several the one that begins first, as decimal commas begin below the names of the columns.
    """
    with path.open("rb") as file:
        lines = file.read(_SAMPLE_BYTES).splitlines()[:_SAMPLE_LINES]
    lines = [_QUOTED.sub(b"", line) for line in lines]
    found = [(*_evenness([line.count(one) for line in lines], len(lines) - lines.count(b"")), one) for one in _LIKELY]
    start, _, best = min(found)
    return ("", 0) if start == _NEVER else (best.decode(), start)


def _evenness(counts: list[int], lines: int) -> tuple[int, int]:
    """Where lines with the most frequent number of delimiters begin, and how many lines, negative, have it."""
    ((most, times),) = Counter(filter(None, counts)).most_common(1) or [(0, 0)]
    if 2 * times < lines:
        return _NEVER, 0
    # The names of the columns may be above an uneven row, but not above one without any.
    triples = enumerate(zip(counts, counts[1:], [*counts[2:], 0], strict=False))
    starts = (at for at, (one, two, three) in triples if one == most and (two == most or (two and three == most)))
    return next(starts, _NEVER), -times


def _with_commas(connection: duckdb.DuckDBPyConnection, path: Path, found: Dialect) -> Dialect:
    """The dialect with decimal commas, where they make numbers of texts."""
    if found.delimiter == "," or found.quote != '"' or all(column.type != "text" for column in found.columns):
        return found
    arguments = f"delim = {literal(found.delimiter)}, skip = {found.skipped}, header = {str(found.has_header).lower()}"
    with_commas = _sniffed(connection, path, arguments, "decimal_separator = ','", _LENIENT)
    is_better = _numbers(with_commas) > _numbers(found) and len(with_commas.columns) == len(found.columns)
    return replace(with_commas, decimal=",") if is_better else found


def _numbers(dialect: Dialect) -> int:
    return sum(column.type in ("integer", "number") for column in dialect.columns)


def _sniffed(connection: duckdb.DuckDBPyConnection, path: Path, *more: str) -> Dialect:
    arguments = ", ".join([literal(str(path)), *more])
    try:
        with refusals("table"):
            return _dialect(rows(connection, f"SELECT {_FIELDS} FROM sniff_csv({arguments})")[0])  # noqa: S608  (arguments are quoted)
    except BadFile:
        raise BadFile("the rows cannot be told apart: lines above 2 MB, or quotes that never close", "corrupt") from None


def _dialect(row: tuple[Any, ...]) -> Dialect:
    delimiter, quote, escape, skipped, has_header, columns, date_format, timestamp_format, comment = row
    # The beginning may lack quotes that come later.
    quote = '"' if quote in (None, _NONE) else quote
    return Dialect(
        delimiter=delimiter,
        quote=quote,
        escape=quote if escape in (None, _NONE) else escape,
        comment="" if comment in (None, _NONE) else comment,
        skipped=skipped,
        has_header=has_header,
        columns=tuple(Column(column["name"], column["type"]) for column in columns),
        date_format=date_format or "",
        timestamp_format=timestamp_format or "",
    )
