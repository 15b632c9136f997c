"""Copies of tables as Parquet or CSV."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors.registry import Draft
from shared.processors.table_options import FORMATS, Convert
from shared.processors.tables.engine import connect, literal, refusals
from shared.processors.tables.opening import opened
from shared.processors.tables.relation import NESTED, Column, Rows
from shared.processors.tables.statistics import Counted
from shared.processors.tables.values import FORMULA, NUMBER, iso
from shared.processors.tables.workbook import Sheet, Workbook

_BLOCK_ROWS = 10_000
#: Types of a sheet's columns → DuckDB's; every other one is text.
_SQL_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
}
_MAX_NAME_BYTES = 40


def convert(source: Path, folder: Path, options: Convert) -> Iterator[Draft | Mapping[str, Any]]:
    """Write the copies, and yield their drafts and the facts. Raises `BadFile`."""
    table = opened(source, folder)
    if isinstance(table, Workbook):
        yield from _sheets(table, folder, options)
        return
    path = folder / f"table.{options.format}"
    (rows,) = table.run(lambda found: _copy(found, path, options))
    yield Draft(path.name, FORMATS[options.format], path)
    yield {"format": table.format, **table.facts(), "rows": rows, "column_count": len(table.columns)}


def _copy(table: Rows, path: Path, options: Convert) -> str:
    columns = ", ".join(map(_escaped, table.columns)) if options.format == "csv" else "*"
    query = f"SELECT {columns} FROM {table.sql}"  # noqa: S608  (names and texts are quoted)
    return f"COPY ({query}) TO {literal(str(path))} ({_form(options)})"


def _form(options: Convert) -> str:
    if options.format == "csv":
        return "FORMAT csv, HEADER true"
    return f"FORMAT parquet, COMPRESSION {'uncompressed' if options.compression == 'none' else options.compression}"


def _escaped(column: Column) -> str:
    """A column of CSV: no spreadsheet takes its texts for formulas."""
    if column.type != "text" and column.type not in NESTED:
        return column.sql
    text = f"CAST({column.sql} AS VARCHAR)"
    begins = f"{text} <> '' AND contains({literal(FORMULA)}, left({text}, 1))"
    is_formula = f"{begins} AND NOT regexp_full_match({text}, {literal(NUMBER)})"
    return f"CASE WHEN {is_formula} THEN '''' || {text} ELSE {text} END AS {column.sql}"


def _sheets(workbook: Workbook, folder: Path, options: Convert) -> Iterator[Draft | Mapping[str, Any]]:
    if workbook.count > options.max_sheets:
        raise BadFile(
            f"the workbook has {workbook.count:,} sheets; its step takes at most {options.max_sheets}", "too_many_pages"
        )
    facts, names = [], set[str]()
    for sheet in workbook.sheets(workbook.count):
        rows, columns = _written(sheet, folder / "cells")
        output = _free(_clean(sheet.name), names) if rows else None
        if output:
            path = folder / f"{output}.{options.format}"
            _copy_cells(folder / "cells", path, columns, options)
            yield Draft(path.name, FORMATS[options.format], path, {"sheet": sheet.name})
        facts.append({"name": sheet.name, "rows": rows, "column_count": len(columns), "output": path.name if output else None})
    if not names:
        raise BadFile("the workbook has no rows", "no_output")
    yield {"format": workbook.format, "sheet_count": workbook.count, "sheets": facts}


def _written(sheet: Sheet, path: Path) -> tuple[int, list[Column]]:
    """Write the cells as CSV; the number of rows, and the columns."""
    counted, rows = [Counted() for _ in sheet.header.names], 0
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        for block in sheet.rows(_BLOCK_ROWS):
            rows += len(block)
            for column, values in zip(counted, zip(*block, strict=True), strict=True):
                column.add(values)
            writer.writerows([_cell(cell) for cell in row] for row in block)
    return rows, [
        Column(name, _SQL_TYPES.get(one.type, "VARCHAR")) for name, one in zip(sheet.header.names, counted, strict=True)
    ]


def _cell(cell: Any) -> Any:
    """A cell as DuckDB reads it."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, date | time | timedelta):
        return iso(cell)
    return str(cell).lower() if isinstance(cell, bool) else cell


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a sheet, written as CSV, as a relation."""

    sql: str
    columns: list[Column]


def _copy_cells(cells: Path, path: Path, columns: list[Column], options: Convert) -> None:
    types = ", ".join(f"{literal(column.name)}: {literal(column.sql_type)}" for column in columns)
    given = f"auto_detect = false, delim = ',', quote = '\"', escape = '\"', header = false, columns = {{{types}}}"
    connection = connect(cells, path.parent)
    relation = _Cells(f"read_csv({literal(str(cells))}, {given})", columns)
    with refusals("workbook"):
        connection.execute(_copy(relation, path, options))
    cells.unlink()


def _clean(name: str) -> str:
    """A sheet's name as that of an output: letters, digits, `-`, `_` and `.`; `sheet` where nothing is left."""
    plain = re.sub(r"[^\w.-]+", "_", name).strip("._")
    return plain.encode()[:_MAX_NAME_BYTES].decode(errors="ignore") or "sheet"


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where another sheet has it; its case does not matter."""
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found.lower())
    return found
