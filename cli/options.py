"""Options that several commands share."""

import functools
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import click

from cli.output import FORMATS, Output
from shared.index import PROCESSING, VERDICTS, State
from shared.operations import bulk
from shared.operations.listing import Query

Command = TypeVar("Command", bound=Callable[..., Any])
_AGO = re.compile(r"(\d{1,6})([smhdw])")
STATES = (*VERDICTS, PROCESSING)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def wrong(sentence: str) -> click.UsageError:
    """A usage error of the current command."""
    return click.UsageError(sentence, click.get_current_context())


class Since(click.ParamType[datetime]):
    """A time in the past: `2h` or `3d` ago, a date, or a date with a time; UTC unless it names another zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return since(value, datetime.now(UTC))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write 90m, 2h, 3d, 2026-11-28 or 2026-11-28T10:30", param, ctx)


def since(text: str, now: datetime) -> datetime:
    """The time that this text means. Raises `ValueError` or `OverflowError`."""
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class Words(click.ParamType[tuple[str, ...]]):
    """Words between commas, from a list if there is one."""

    name = "word,…"

    def __init__(self, known: Collection[str] = ()) -> None:
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = tuple(filter(None, (word.strip() for word in value.split(","))))
        if wrong := [word for word in words if self._known and word not in self._known]:
            self.fail(f"{wrong[0]!r} is none of {', '.join(self._known)}", param, ctx)
        return words


def output(command: Command) -> Command:
    """Add `--format` and `--quiet`; the command receives them as its first argument, an `Output`."""

    @click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the data on stdout.")
    @click.option("-q", "--quiet", is_flag=True, help="Print neither notes nor progress on stderr, only errors.")
    @functools.wraps(command)
    def with_output(*arguments: Any, form: str, quiet: bool, **options: Any) -> Any:
        return command(Output(form, quiet), *arguments, **options)

    return cast("Command", with_output)


def query(command: Command) -> Command:
    """Add the options that choose jobs from the index; the command receives them as `query`."""

    @click.option(
        "--verdict",
        "verdicts",
        type=Words(STATES),
        default=(),
        metavar="VERDICT,…",
        help=f"Only these: {', '.join(STATES)}.",
    )
    @click.option("--reason", "reasons", type=Words(), default=(), metavar="REASON,…", help="Only these, such as corrupt.")
    @click.option("--since", type=Since(), help="Only uploads since 90m, 2h, 3d ago, or 2026-11-28, 2026-11-28T10:30 (UTC).")
    @click.option(
        "--name", metavar="PATTERN", default="", help="Only objects such as 'invoices/**'; * stops at a slash, ** does not."
    )
    @functools.wraps(command)
    def with_query(
        *arguments: Any,
        verdicts: tuple[State, ...],
        reasons: tuple[str, ...],
        since: datetime | None,
        name: str,
        **options: Any,
    ) -> Any:
        oldest = int(since.timestamp() * 1e6) if since else 0
        return command(*arguments, query=Query(verdicts, oldest, name, reasons), **options)

    return cast("Command", with_query)


def pace(command: Command) -> Command:
    """Add `--request` and `--rate` of a command that begins many runs."""
    repeat = click.option(
        "--request", metavar="ID", default="", help="Go on with a request that was cut off: no run begins twice."
    )
    rate = click.option(
        "--rate",
        type=click.FloatRange(0.1, 500),
        default=bulk.PER_SECOND,
        show_default=True,
        metavar="FILES",
        help="Most files to begin in a second.",
    )
    return repeat(rate(command))
