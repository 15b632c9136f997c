"""The way that a CSV file is written, as DuckDB finds it: delimiter, quotes, header, types of columns."""

import re
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
        raise BadFile("the file is no table: it has zero bytes", "not_a_text")
    first, *others = re.split(rb"[\r\n]+", head.lstrip())
    if max(map(len, others), default=0) > MAX_LINE_BYTES:
        raise BadFile("a line is above 2 MB; a quote may never close", "corrupt")
    check_columns(max(first.count(bytes([one])) for one in _DELIMITERS) + 1)


def detected(connection: duckdb.DuckDBPyConnection, path: Path) -> Dialect:
    """The dialect of this file. Raises `BadFile`."""
    found = _strict(connection, path)
    if found is None or len(found.columns) == 1:
        # One uneven row among the first, and DuckDB takes the whole for a single column.
        delimiter = _likely(path)
        found = _sniffed(connection, path, f"delim = {literal(delimiter)}", _LENIENT) if delimiter else found
    if found is None:
        raise BadFile("the rows cannot be told apart: lines above 2 MB, or quotes that never close", "corrupt")
    check_columns(len(found.columns))
    return _with_commas(connection, path, found)


def _strict(connection: duckdb.DuckDBPyConnection, path: Path) -> Dialect | None:
    try:
        return _sniffed(connection, path)
    except BadFile:
        return None


def _likely(path: Path) -> str:
    """The delimiter that the first line has, and at least half of the next ones as often; empty without one."""
    with path.open("rb") as file:
        lines = [line for line in file.read(_SAMPLE_BYTES).splitlines() if line.strip()][:_SAMPLE_LINES]
    counted = {one: [line.count(one) for line in lines] for one in (b",", b";", b"\t", b"|")}
    even = {one: counts[0] for one, counts in counted.items() if lines and 2 * counts.count(counts[0]) >= len(counts)}
    best = max(even, key=lambda one: even[one], default=b"")
    return best.decode() if best and even[best] else ""


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
