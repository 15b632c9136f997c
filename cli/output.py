"""The output of a command: data on stdout in the chosen format; notes and progress on stderr."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from cli import table
from cli.table import Column
from cli.texts import printable_lines
from shared.model import Json

FORMATS = ("table", "json", "ndjson", "name")
COLORS = {
    "succeeded": "green",
    "failed": "red",
    "dead": "red",
    "gone": "red",
    "partial": "yellow",
    "processing": "cyan",
    "PAUSED": "yellow",
}
_VERDICT = re.compile(rf"(?<!\S)(?:{'|'.join(COLORS)})(?!\S)")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Output:
    """The chosen format. With `is_quiet` there are neither notes nor progress, only data and errors."""

    format: str = "table"
    is_quiet: bool = False

    def rows(self, rows: Iterable[Json], columns: Sequence[Column], name: str) -> None:
        """Print rows; the format `name` prints this field of each. `ndjson` and `name` print each row as it comes."""
        if self.format == "table":
            self._table(list(rows), columns)
        elif self.format == "json":
            print_json(list(rows))
        else:
            for row in rows:
                self.row(row, name)

    def row(self, row: Json, name: str) -> None:
        """Print one row as `ndjson`, or its field `name`."""
        if self.format == "name":
            _print_name(row[name])
        else:
            _print(json.dumps(row, ensure_ascii=False))

    def stream(self, rows: Iterable[Json], columns: Sequence[Column], name: str) -> None:
        """Print rows as they come, also those of a table: its columns have fixed widths."""
        if self.format != "table":
            return self.rows(rows, columns, name)
        _print(styled(table.lines([], columns)[0], bold=True))
        for row in rows:
            _print(colored(table.lines([row], columns)[1]))
        return None

    def document(self, document: Json, text: str, names: Iterable[str]) -> None:
        """Print one answer: as text, as JSON, or the names in it."""
        if self.format == "table":
            _print(text)
        elif self.format == "json":
            print_json(document)
        elif self.format == "ndjson":
            _print(json.dumps(document, ensure_ascii=False))
        else:
            for name in names:
                _print_name(name)

    def _table(self, rows: list[Json], columns: Sequence[Column]) -> None:
        header, *lines = table.lines(rows, columns, terminal_width())
        if rows:
            _print(styled(header, bold=True))
        for line in lines:
            _print(colored(line))

    def note(self, sentence: str) -> None:
        """Print a sentence beside the data."""
        if not self.is_quiet:
            click.echo(printable_lines(sentence), err=True)

    def progress(self, items: Iterable[T], count: int, label: str) -> Iterator[T]:
        """The items, with a bar on a terminal while they come. A `count` of 0 is an unknown one."""
        if self.is_quiet or not sys.stderr.isatty():
            yield from items
            return
        with click.progressbar(items, length=count or None, label=label, file=sys.stderr, show_pos=True) as bar:
            yield from bar


def terminal_width() -> int:
    """The columns of the terminal, 0 elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def print_json(value: Any) -> None:
    """Print indented JSON."""
    _print(json.dumps(value, ensure_ascii=False, indent=2))


def colored(line: str) -> str:
    """The line with the first verdict in it in colour."""
    return _VERDICT.sub(lambda found: styled(found[0], fg=COLORS[found[0]]), line, count=1)


def styled(text: str, **style: Any) -> str:
    """The text in this style on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return text if os.environ.get("NO_COLOR") or not sys.stdout.isatty() else click.style(text, **style)


def _print_name(name: str) -> None:
    """Print a name; on a terminal with its control characters escaped."""
    _print(table.printable(name) if sys.stdout.isatty() else name)


def _print(text: str) -> None:
    click.echo(text, color=True)  # otherwise it takes escape sequences out of names that go to a pipe
