"""Rows as a table of aligned columns, for people. Pure."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.model import Json

GAP = "  "
#: The last column of a table is cut to the width of the terminal, but to no less.
MIN_LAST_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, and the text of a row in it. `width` is the least, for lines that are printed one by one."""

    title: str
    text: Callable[[Json], object]
    is_number: bool = False
    width: int = 0


def field(name: str, title: str = "", *, is_number: bool = False, width: int = 0) -> Column:
    """The column of a field of the row; empty where the row lacks it."""
    return Column((title or name).upper().replace("_", " "), lambda row: row.get(name, ""), is_number, width)


def lines(rows: Sequence[Json], columns: Sequence[Column], width: int = 0) -> list[str]:
    """The header and a line for each row. `width` is that of the terminal, 0 elsewhere: then nothing is cut."""
    texts = [[printable(str(column.text(row))) for column in columns] for row in rows]
    cells = [[column.title for column in columns], *texts]
    needed = [max(map(columns_of, texts_of_one)) for texts_of_one in zip(*cells, strict=True)]
    widths = [max(width, column.width) for width, column in zip(needed, columns, strict=True)]
    aligned = [[_aligned(*cell) for cell in zip(line, widths, columns, strict=True)] for line in cells]
    return [_cut(GAP.join(line).rstrip(), sum(widths[:-1]) + len(GAP) * (len(widths) - 1), width) for line in aligned]


def printable(text: str) -> str:
    """The text with its control characters escaped: an object's name must not steer the terminal."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def columns_of(text: str) -> int:
    """The columns that a text takes on a terminal: characters of East Asia take two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _aligned(text: str, width: int, column: Column) -> str:
    space = " " * (width - columns_of(text))
    return space + text if column.is_number else text + space


def _cut(line: str, before_last: int, width: int) -> str:
    limit = max(width, before_last + MIN_LAST_COLUMNS)
    return line if not width or len(line) <= limit else f"{line[: limit - 1]}…"
