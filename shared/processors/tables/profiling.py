"""The facts of a table: its columns, rows and first rows."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.processors.table_options import Profile
from shared.processors.tables.opening import opened
from shared.processors.tables.relation import NESTED, Column, Relation, Rows
from shared.processors.tables.statistics import MAX_DISTINCT, Counted
from shared.processors.tables.values import shown
from shared.processors.tables.workbook import Sheet, Workbook

_BLOCK_ROWS = 10_000
_NATIVE = frozenset({"integer", "number", "boolean"})
_NO_EXTREMES = NESTED | {"bytes"}
_AGGREGATES = 4


def profile(source: Path, folder: Path, options: Profile) -> Mapping[str, Any]:
    """The facts of this table. Raises `BadFile`."""
    table = opened(source, folder)
    return _of_workbook(table, options) if isinstance(table, Workbook) else _of_relation(table, options)


def _of_relation(table: Relation, options: Profile) -> dict[str, Any]:
    row = table.run(lambda found: _query(found, options.max_columns))
    described = table.columns[: options.max_columns]
    counted = [row[at : at + _AGGREGATES] for at in range(1, len(row), _AGGREGATES)]
    columns = [
        _facts(column.name, column.type, row[0] - present, least, most, min(distinct, present))  # the estimate may be above
        for column, (present, least, most, distinct) in zip(described, counted, strict=True)
    ]
    head = table.head(options.sample_rows, [_value(column) for column in described]) if options.sample_rows else []
    return {
        "format": table.format,
        **table.facts(),
        "rows": row[0],
        "column_count": len(table.columns),
        "columns": columns,
        "sample": [list(map(shown, values)) for values in head],
    }


def _query(table: Rows, most: int) -> str:
    aggregates = ["count(*)", *(one for column in table.columns[:most] for one in _aggregates(column))]
    return f"SELECT {', '.join(aggregates)} FROM {table.sql}"  # noqa: S608  (names and texts are quoted)


def _aggregates(column: Column) -> Iterator[str]:
    """SUMMARIZE of DuckDB takes three times as long: it computes quantiles too."""
    yield f"count({column.sql})"
    for name in ("min", "max"):
        value = f"{name}({column.sql})"
        yield "NULL" if column.type in _NO_EXTREMES else value if column.type in _NATIVE else f"CAST({value} AS VARCHAR)"
    yield f"approx_count_distinct({column.sql})"


def _value(column: Column) -> str:
    """A cell of the sample: a value of JSON."""
    value = f"to_json({column.sql})" if column.type in NESTED else column.sql
    return value if column.type in _NATIVE else f"CAST({value} AS VARCHAR)"


def _facts(name: str, kind: str, nulls: int, least: Any, most: Any, distinct: int) -> dict[str, Any]:
    extremes = {"min": shown(least), "max": shown(most)} if least is not None else {}
    return {"name": shown(name), "type": kind, "nulls": nulls, **extremes, "approx_distinct": distinct}


def _of_workbook(workbook: Workbook, options: Profile) -> dict[str, Any]:
    sheets = [_of_sheet(sheet, options) for sheet in workbook.sheets(options.max_sheets)]
    return {"format": workbook.format, "sheet_count": workbook.count, "sheets": sheets}


def _of_sheet(sheet: Sheet, options: Profile) -> dict[str, Any]:
    names = sheet.header.names
    counted = [Counted() for _ in names[: options.max_columns]]
    rows, sample = 0, list[list[Any]]()
    for block in sheet.rows(_BLOCK_ROWS):
        sample = sample or [row[: options.max_columns] for row in block[: options.sample_rows]]
        rows += len(block)
        for column, values in zip(counted, zip(*block, strict=True), strict=False):
            column.add(values)
    described = zip(names, counted, strict=False)
    columns = [
        _facts(name, one.type, one.nulls, *one.minimum_and_maximum(), min(len(one.distinct), MAX_DISTINCT))
        for name, one in described
    ]
    return {
        "name": shown(sheet.name),
        "visible": sheet.is_visible,
        "header": sheet.header.is_written,
        "skipped_rows": sheet.header.skipped,
        "rows": rows,
        "column_count": len(names),
        "columns": columns,
        "sample": [[shown(_cell(cell)) for cell in row] for row in sample],
    }


def _cell(cell: Any) -> Any:
    """A cell of a sheet; a spreadsheet has no whole numbers, but people write them."""
    if cell == "":
        return None
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
