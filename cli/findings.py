"""Findings as lines for people: pairs of label and value, and grids. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli import table
from cli.table import Column, printable
from shared.findings import Grid, Pairs, findings

#: Rows of a grid, and characters of a cell and of a line.
MAX_ROWS = 50
MAX_CELL_CHARACTERS = 30
MAX_LINE_CHARACTERS = 160


def lines(facts: Iterable[Mapping[str, Any]], width: int = 0) -> Iterator[str]:
    """The findings in these facts, of each step one mapping. `width` is that of the terminal, 0 elsewhere."""
    for found in findings(facts):
        yield found.title.lower()
        for block in found.blocks:
            whole = _grid(block) if isinstance(block, Grid) else _pairs(block)
            yield from (f"  {_cut(line, (width or MAX_LINE_CHARACTERS) - 4)}" for line in whole)


def _pairs(block: Pairs) -> Iterator[str]:
    widest = max((table.columns_of(label) for label, _ in block.rows), default=0)
    for label, value in block.rows:
        yield f"{label.lower()}{' ' * (widest - table.columns_of(label))}  {printable(value)}"


def _grid(block: Grid) -> Iterator[str]:
    yield f"{block.title[:1].lower()}{block.title[1:]}"  # the rest may name a sheet
    columns = [_column(at, one.title, is_number=one.is_number) for at, one in enumerate(block.headings)]
    rows = [{"cells": row} for row in block.rows[:MAX_ROWS]]
    yield from (f"  {line}" for line in table.lines(rows, columns))
    left = [f"{len(block.rows) - MAX_ROWS:,} more rows"] if len(block.rows) > MAX_ROWS else []
    yield from (f"  {note}" for note in (*left, block.note) if note)


def _column(at: int, title: str, *, is_number: bool) -> Column:
    return Column(
        printable(_cut(title, MAX_CELL_CHARACTERS)), lambda row: _cut(row["cells"][at], MAX_CELL_CHARACTERS), is_number
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
