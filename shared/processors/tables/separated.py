"""CSV and TSV by DuckDB. A row that does not fit is left out and reported, never bent until it fits."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from shared.errors import BadFile
from shared.processors import charset
from shared.processors.tables import dialect, recoding
from shared.processors.tables.engine import connect, literal, refusals, rows
from shared.processors.tables.relation import Column, Rows, head

#: Faults that are counted; then they are `more`.
MAX_REJECTS = 10_000
SHOWN_REJECTS = 10
#: Runs that each find columns with values of another type; then every column is text.
MAX_RUNS = 4
#: DuckDB's kinds of faults → ours
_FAULTS = {
    "MISSING COLUMNS": "too few columns",
    "TOO MANY COLUMNS": "too many columns",
    "UNQUOTED VALUE": "a quote in a value, or one that never closes",
    "LINE SIZE OVER MAXIMUM": "longer than 2 MB",
    "INVALID ENCODING": "characters that are not UTF-8",
    "INVALID STATE": "a quote or end of line in the wrong place",
}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


class Separated:
    """An open CSV file; one whose delimiter is a tab has the format `tsv`."""

    def __init__(self, source: Path, folder: Path) -> None:
        """Raises `BadFile`."""
        self._source, self._folder, self._path = source, folder, source
        self._connection = connect(source, folder)
        self._rejects: list[tuple[int, str]] = []
        with source.open("rb") as file:
            self.encoding = charset.marked(file.read(4)) or "utf-8"
        if not self.encoding.startswith("utf-8"):
            self._path = recoding.recoded(source, folder, self.encoding)
        self._dialect = self._detected()

    @property
    def format(self) -> str:
        """`csv` or `tsv`."""
        return "tsv" if self._dialect.delimiter == "\t" else "csv"

    @property
    def columns(self) -> list[Column]:
        """See `Relation.columns`."""
        return list(self._dialect.columns)

    @property
    def sql(self) -> str:
        """See `Relation.sql`."""
        rejects = f"store_rejects = true, rejects_limit = {MAX_REJECTS}"
        return f"read_csv({literal(str(self._path))}, {self._dialect.arguments()}, {rejects})"

    def run(self, query: Callable[[Rows], str]) -> tuple[Any, ...]:
        """See `Relation.run`. A column with values of another type than its first ones becomes text."""
        runs = 0
        while True:
            row, faults = self._once(query)
            kinds = {kind for _, kind, _ in faults}
            if "INVALID ENCODING" in kinds and self._is_recoded():
                continue
            if "CAST" not in kinds:
                break
            runs += 1
            wrong = {name for _, kind, name in faults if kind == "CAST"}
            self._make_text(wrong if runs < MAX_RUNS else {column.name for column in self.columns})
        self._rejects = sorted({line: _FAULTS.get(kind, "cannot be read") for line, kind, _ in faults}.items())
        self._check_any(row[0])
        return row

    def head(self, most: int, expressions: list[str]) -> list[tuple[Any, ...]]:
        """See `Relation.head`."""
        with refusals("table"):
            return rows(self._connection, head(self, most, expressions))

    def facts(self) -> Mapping[str, Any]:
        """See `Relation.facts`."""
        found = self._dialect
        first = [{"line": line, "reason": reason} for line, reason in self._rejects[:SHOWN_REJECTS]]
        return {
            "encoding": self.encoding.removesuffix("-sig").replace("_", "-"),
            "delimiter": _DELIMITERS.get(found.delimiter, found.delimiter),
            "decimal": "comma" if found.decimal == "," else "point",
            "header": found.has_header,
            "skipped_lines": found.skipped,
            "rejected_rows": len(self._rejects),
            "rejects": first,
        }

    def _detected(self) -> dialect.Dialect:
        with self._path.open("rb") as file:
            dialect.check_head(file.read(dialect.HEAD_BYTES))
        try:
            return dialect.detected(self._connection, self._path)
        except BadFile:
            if self._is_recoded():
                return self._dialect
            raise

    def _once(self, query: Callable[[Rows], str]) -> tuple[tuple[Any, ...], list[tuple[int, str, str]]]:
        """The row of a query, and the faults: line, kind, name of the column."""
        with refusals("table"):
            try:
                row = rows(self._connection, query(self))[0]
            except duckdb.InvalidInputException:
                if not self._is_recoded(uneven=True):  # lines that end now so, now so, are no fault of the table
                    raise
                row = rows(self._connection, query(self))[0]
            faults = rows(self._connection, "SELECT line, error_type, column_name FROM reject_errors")
            self._connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        return row, [(line or 0, str(kind), name) for line, kind, name in faults]

    def _is_recoded(self, uneven: bool = False) -> bool:
        """Whether the text, now read from a copy in UTF-8, may be read better than before."""
        found = recoding.encoding(self._source)
        if self._path != self._source or (found == "utf-8" and not uneven):
            return False
        self.encoding = found
        self._path = recoding.recoded(self._source, self._folder, found)
        self._dialect = self._detected()
        return True

    def _make_text(self, names: set[str]) -> None:
        columns = [replace(column, sql_type="VARCHAR") if column.name in names else column for column in self.columns]
        self._dialect = replace(self._dialect, columns=tuple(columns))

    def _check_any(self, count: int) -> None:
        if self._rejects and not count:
            line, reason = self._rejects[0]
            raise BadFile(f"no row of the table can be read; line {line}: {reason}", "corrupt")
