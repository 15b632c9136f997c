"""JSON lines by DuckDB: an object in each line. A line that is none is left out and reported."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors import charset
from shared.processors.tables.engine import connect, literal, refusals, rows
from shared.processors.tables.recoding import MAX_BYTES
from shared.processors.tables.relation import Column, Rows, check_columns, head

MAX_LINE_BYTES = 16 << 20
SHOWN_REJECTS = 10
#: Values within values; DuckDB takes 128.
MAX_DEPTH = 100


class JsonLines:
    """An open file of JSON lines. Every line is read for the types: DuckDB would ignore a name that comes late."""

    format = "ndjson"

    def __init__(self, source: Path, folder: Path) -> None:
        """Raises `BadFile`."""
        self._source, self._folder, self._path = source, folder, source
        self._connection = connect(source, folder)
        self._rejected = 0
        self._rejects: list[dict[str, Any]] = []
        self.encoding = charset.detect(source).removesuffix("-sig")
        if self.encoding != "utf-8":
            self._clean()
        try:
            self.columns = self._described()
        except BadFile:
            self._clean()
            self.columns = self._described()

    @property
    def sql(self) -> str:
        """See `Relation.sql`."""
        arguments = f"format = 'newline_delimited', sample_size = -1, maximum_object_size = {MAX_LINE_BYTES}"
        return f"read_json({literal(str(self._path))}, {arguments})"

    def run(self, query: Callable[[Rows], str]) -> tuple[Any, ...]:
        """See `Relation.run`."""
        with refusals("table"):
            return rows(self._connection, query(self))[0]

    def head(self, most: int, expressions: list[str]) -> list[tuple[Any, ...]]:
        """See `Relation.head`."""
        with refusals("table"):
            return rows(self._connection, head(self, most, expressions))

    def facts(self) -> Mapping[str, Any]:
        """See `Relation.facts`."""
        return {
            "encoding": self.encoding.replace("_", "-"),
            "rejected_rows": self._rejected,
            "rejects": self._rejects,
        }

    def _described(self) -> list[Column]:
        with refusals("table"):
            described = rows(self._connection, f"DESCRIBE FROM {self.sql}")
        check_columns(len(described))
        if [(name, sql_type) for name, sql_type, *_ in described] == [("json", "JSON")]:
            raise BadFile("a line is no JSON object", "corrupt")
        return [Column(name, sql_type) for name, sql_type, *_ in described]

    def _clean(self) -> None:
        """Copy the lines that are objects. Raises `BadFile`."""
        if self._source.stat().st_size > MAX_BYTES:
            raise BadFile(f"the table has lines that are no JSON, and above {MAX_BYTES >> 20} MB; repair it first", "corrupt")
        self._path = self._folder / "objects"
        good = 0
        with (
            self._source.open(encoding=self.encoding, errors="replace") as text,
            self._path.open("w", encoding="utf-8") as copy,
        ):
            for number, line in _lines(text):
                if reason := _fault(line):
                    self._rejected += 1
                    self._rejects += [{"line": number, "reason": reason}] if self._rejected <= SHOWN_REJECTS else []
                else:
                    good += 1
                    copy.write(line + "\n")
        if not good and self._rejected:
            first = self._rejects[0]
            raise BadFile(f"no line of the table can be read; line {first['line']}: {first['reason']}", "corrupt")


def _lines(text: Any) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, and its number; of one that is too long only the beginning."""
    number = 0
    while line := text.readline(MAX_LINE_BYTES):
        number += 1
        rest = line
        while not rest.endswith("\n") and (rest := text.readline(MAX_LINE_BYTES)):
            pass
        if line.strip():
            yield number, line.rstrip("\n")


def _fault(line: str) -> str:
    """The fault of a line; empty for an object."""
    if len(line.encode(errors="replace")) >= MAX_LINE_BYTES:
        return f"longer than {MAX_LINE_BYTES >> 20} MB"
    try:
        value = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(value, dict):
        return "no object"
    return "values nested too deeply" if _is_deeper(value, MAX_DEPTH) else ""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_deeper(value: Any, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_is_deeper(part, most - 1) for part in parts)
