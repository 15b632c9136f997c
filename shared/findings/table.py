"""A table: its columns with types and ranges, first rows, and lines left out, from `table.profile`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.findings import values
from shared.findings.blocks import MAX_COLUMNS, MAX_ROWS, Finding, Grid, Heading, Label, Pairs, cut, grid, pairs

MAX_SAMPLE_ROWS = 20
MAX_SHEETS = 10
MAX_REJECTS = 20
GRIDS = frozenset({"columns", "sample", "rejects", "sheet"})
FORMATS = {"csv": "CSV", "tsv": "TSV", "ndjson": "JSON lines", "parquet": "Parquet"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "space"}
PROFILE = (
    ("name", "Column"),
    ("type", "Type"),
    ("nulls", "Nulls"),
    ("min", "Min"),
    ("max", "Max"),
    ("distinct", "Distinct (about)"),
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
    if note := cut(sheets, MAX_SHEETS, "sheet"):
        yield Pairs([("Not shown", note)])


def _grids(facts: Mapping[str, Any], of: str) -> Iterator[Grid]:
    columns = values.objects(facts.get("columns"))
    if columns:
        whole = facts.get("column_count")
        note = cut(columns, MAX_ROWS, "column", whole if isinstance(whole, int) else 0)
        yield grid(f"Columns{of}", columns, PROFILE, note)
    if sample := _sample(facts.get("sample"), columns, f"First rows{of}"):
        yield sample
    if rejects := _rejects(facts.get("rejects"), of):
        yield rejects


def _sample(found: Any, columns: Sequence[Mapping[str, Any]], title: str) -> Grid | None:
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


def _rejects(found: Any, of: str) -> Grid | None:
    """The lines that are no rows: a list, or an object with their count and the first ones."""
    first = found.get("first", found.get("examples")) if isinstance(found, Mapping) else found
    count = found.get("count") if isinstance(found, Mapping) else 0
    rows = values.objects(first)
    if not rows:
        return None
    note = cut(rows, MAX_REJECTS, "line", count if isinstance(count, int) else 0)
    return grid(f"Lines left out{of}", rows[:MAX_REJECTS], (("line", "Line"), ("reason", "Why"), ("text", "Text")), note)


def _columns(value: Any) -> str:
    return values.count(len(value)) if isinstance(value, list) else ""


def _delimiter(value: Any) -> str:
    return DELIMITERS.get(value, values.shown(value)) if isinstance(value, str) and value else ""


def _format(value: Any) -> str:
    return FORMATS.get(value, values.shown(value)) if isinstance(value, str) else ""


LABELS: Mapping[str, Label] = {
    "format": ("Format", _format),
    "encoding": ("Encoding", values.shown),
    "delimiter": ("Delimiter", _delimiter),
    "rows": ("Rows", values.count),
    "columns": ("Columns", _columns),
}
