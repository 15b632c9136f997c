"""A table: its columns with types and ranges, first rows, and rows left out, from `table.profile`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shared.findings import values
from shared.findings.blocks import MAX_COLUMNS, MAX_ROWS, Finding, Grid, Heading, Label, Pairs, cut, grid, pairs

MAX_SAMPLE_ROWS = 20
MAX_SHEETS = 10
MAX_REJECTS = 20
GRIDS = frozenset({"columns", "sample", "rejects", "sheets"})
FORMATS = {"csv": "CSV", "tsv": "TSV", "ndjson": "JSON lines", "parquet": "Parquet"}
PROFILE = (
    ("name", "Column"),
    ("type", "Type"),
    ("nulls", "Nulls"),
    ("min", "Min"),
    ("max", "Max"),
    ("approx_distinct", "Distinct (about)"),
)


def find(steps: Sequence[Mapping[str, Any]]) -> Finding | None:
    """The table, or the workbook with its sheets, of these facts, one mapping for each step."""
    for facts in steps:
        sheets = [one for one in values.objects(facts.get("sheets")) if "columns" in one]
        if sheets:
            return Finding("table", "Workbook", [*_workbook(facts, sheets)], GRIDS)
        if _is_table(facts):
            return Finding("table", "Table", [pairs(facts, LABELS), *_grids(facts, "")], GRIDS)
    return None


def _is_table(facts: Mapping[str, Any]) -> bool:
    return "rows" in facts and isinstance(facts.get("columns"), list)


def _workbook(facts: Mapping[str, Any], sheets: Sequence[Mapping[str, Any]]) -> Iterator[Pairs | Grid]:
    yield pairs(facts, LABELS)
    for sheet in sheets[:MAX_SHEETS]:
        name = values.shown(sheet.get("name", ""), values.MAX_CELL_CHARACTERS)
        yield Pairs([("Sheet", name), *pairs(sheet, LABELS).rows])
        yield from _grids(sheet, f" of {name}")
    count = facts.get("sheet_count")
    if note := cut(sheets, MAX_SHEETS, "sheet", count if isinstance(count, int) else 0):
        yield Pairs([("Not shown", note)])


def _grids(facts: Mapping[str, Any], of: str) -> Iterator[Grid]:
    columns = values.objects(facts.get("columns"))
    if columns:
        whole = facts.get("column_count")
        note = cut(columns, MAX_ROWS, "column", whole if isinstance(whole, int) else 0)
        yield grid(f"Columns{of}", columns, PROFILE, note)
    if sample := _sample(facts, columns, f"First rows{of}"):
        yield sample
    if rejects := _rejects(facts, of):
        yield rejects


def _sample(facts: Mapping[str, Any], columns: Sequence[Mapping[str, Any]], title: str) -> Grid | None:
    found = facts.get("sample")
    rows = [row for row in found if isinstance(row, list)][:MAX_SAMPLE_ROWS] if isinstance(found, list) else []
    width = min(max(map(len, rows), default=0), MAX_COLUMNS)
    if not width:
        return None
    named = [values.cell(one.get("name")) for one in columns[:width]]
    titles = named + [""] * (width - len(named))
    numbers = [all(type(row[at]) in (int, float, type(None)) for row in rows if at < len(row)) for at in range(width)]
    texts = [[values.cell(value) for value in row[:width]] + [""] * (width - len(row)) for row in rows]
    headings = [Heading(title, is_number) for title, is_number in zip(titles, numbers, strict=True)]
    return Grid(title, headings, texts, cut(columns, width, "column"))


def _rejects(facts: Mapping[str, Any], of: str) -> Grid | None:
    """The first rows that could not be read."""
    rows, count = values.objects(facts.get("rejects")), facts.get("rejected_rows")
    if not rows:
        return None
    note = cut(rows, MAX_REJECTS, "row", count if isinstance(count, int) else 0)
    return grid(f"Rows left out{of}", rows[:MAX_REJECTS], (("line", "Line"), ("reason", "Why")), note)


def _if_not(usual: Any) -> Callable[[Any], str]:
    return lambda value: "" if value == usual else values.shown(value)


def _format(value: Any) -> str:
    return FORMATS.get(value, values.shown(value)) if isinstance(value, str) else ""


LABELS: Mapping[str, Label] = {
    "format": ("Format", _format),
    "encoding": ("Encoding", values.shown),
    "delimiter": ("Delimiter", values.shown),
    "decimal": ("Decimal mark", _if_not("point")),
    "sheet_count": ("Sheets", values.count),
    "rows": ("Rows", values.count),
    "column_count": ("Columns", values.count),
    "header": ("Header", _if_not(True)),
    "visible": ("Visible", _if_not(True)),
    "skipped_lines": ("Lines above the header", values.if_some),
    "skipped_rows": ("Rows above the header", values.if_some),
    "rejected_rows": ("Rows left out", values.if_some),
}
