"""The blocks of a finding, which pages and terminals draw: pairs of label and value, and grids."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.findings import values

#: Most rows and columns of a grid; a note counts the others.
MAX_ROWS = 100
MAX_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels with their values, in an order for readers."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a grid's column."""

    title: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with its title; a note under it says what is left out."""

    title: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """The facts of a run about a kind of file; `facts` names those that it shows in grids."""

    kind: str
    title: str
    blocks: Sequence[Pairs | Grid]
    facts: frozenset[str] = frozenset()


#: A label and the text of a fact's value.
Label = tuple[str, Callable[[Any], str]]


def pairs(facts: Mapping[str, Any], labels: Mapping[str, Label]) -> Pairs:
    """The labelled facts, in the order of the labels; without those that are empty."""
    found = ((label, text(facts[name])) for name, (label, text) in labels.items() if name in facts)
    return Pairs([(label, text) for label, text in found if text])


def cut(whole: Sequence[Any], most: int, noun: str, count: int = 0) -> str:
    """A note about what is left of a list of `count` things, such as `3 more columns`; empty if all are shown."""
    left = max(count, len(whole)) - min(len(whole), most)
    return f"{left:,} more {noun}{'s' * (left != 1)}" if left > 0 else ""


def grid(title: str, rows: Sequence[Mapping[str, Any]], columns: Iterable[tuple[str, str]], note: str = "") -> Grid:
    """Objects as rows. Each column has a key and a title; a column that no row has is left out."""
    seen = rows[:MAX_ROWS]
    kept = [(key, title) for key, title in columns if any(row.get(key) is not None for row in seen)]
    counted = {key: all(type(row.get(key)) in (int, float, type(None)) for row in seen) for key, _ in kept}
    texts = [[_text(row.get(key), counted[key]) for key, _ in kept] for row in seen]
    return Grid(title, [Heading(title, counted[key]) for key, title in kept], texts, note)


def _text(value: Any, is_number: bool) -> str:
    return values.count(value) or values.cell(value) if is_number else values.cell(value)
