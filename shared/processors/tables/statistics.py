"""Counts of a sheet's columns, block by block."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

#: Different values of a column that are counted.
MAX_DISTINCT = 10_000
_EXACT = 1 << 53
_TYPES: dict[frozenset[type], str] = {
    frozenset({str}): "text",
    frozenset({bool}): "boolean",
    frozenset({date}): "date",
    frozenset({datetime}): "timestamp",
    frozenset({date, datetime}): "timestamp",
    frozenset({time}): "time",
    frozenset({timedelta}): "interval",
}


@dataclass(slots=True)
class Counted:
    """A column so far."""

    nulls: int = 0
    kinds: set[type] = field(default_factory=set)
    is_whole: bool = True
    distinct: set[Any] = field(default_factory=set)
    extremes: list[Any] = field(default_factory=list)

    def add(self, values: tuple[Any, ...]) -> None:
        """Count a block; an empty cell is an empty text."""
        empty = values.count("")
        present = [value for value in values if value != ""] if empty else values
        self.nulls += empty
        if not present:
            return
        self.kinds |= set(map(type, present))
        if float in self.kinds and self.is_whole:
            self.is_whole = all(value.is_integer() and abs(value) < _EXACT for value in present if type(value) is float)
        if len(self.distinct) < MAX_DISTINCT:
            self.distinct.update(present)
        if len(self.kinds) == 1 or self.type != "mixed":
            self.extremes = self._extremes(present)

    @property
    def type(self) -> str:
        """The type of the column; `mixed` where cells differ."""
        if not self.kinds:
            return "text"
        if self.kinds <= {int, float}:
            return "integer" if self.is_whole else "number"
        return _TYPES.get(frozenset(self.kinds), "mixed")

    def _extremes(self, present: Sequence[Any]) -> list[Any]:
        if datetime in self.kinds and date in self.kinds:
            present = [as_datetime(value) for value in present]
            self.extremes = [as_datetime(value) for value in self.extremes]
        every = [*self.extremes, min(present), max(present)]
        return [min(every), max(every)]

    def minimum_and_maximum(self) -> tuple[Any, Any]:
        """The least and the greatest value; nothing where cells differ in their type."""
        if self.type == "mixed" or not self.extremes:
            return None, None
        least, most = self.extremes
        return (int(least), int(most)) if self.type == "integer" else (least, most)


def as_datetime(value: date) -> datetime:
    """A date as its first moment."""
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001  (sheets have no zones)
