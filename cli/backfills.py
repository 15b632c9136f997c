"""`backfill`: counts and begins; `backfill ls`, `backfill stop` and `backfill resume`."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import click

from cli import options, table
from cli.connection import connect
from cli.exits import Code
from cli.output import Output
from cli.table import Column, field
from cli.times import ago, short
from shared.cloud.protocols import Cloud
from shared.model import Json
from shared.operations import backfill as operations
from shared.operations import backfill_count as counting
from shared.operations.backfill import Shown
from shared.operations.backfill_count import Count


def _number(name: str, title: str = "") -> Column:
    return Column((title or name).upper(), lambda row: f"{row.get(name, 0):,}", is_number=True)


def _state(row: Json) -> str:
    """The state, with the queues that it waits for."""
    return f"waits for {', '.join(f'{queue} ({why})' for queue, why in row['waits'].items())}" if row["waits"] else row["state"]


GROUPS = (
    _number("files"),
    _number("bytes"),
    Column("LIST PRICE $", lambda row: f"{row['dollars']:,.6f}", is_number=True),
    Column("STEPS", lambda row: ", ".join(row["steps"]) or f"none: {row['reason']}"),
)
BACKFILLS = (
    field("backfill"),
    Column("BEGAN", lambda row: short(row["began"])),
    Column("PREFIX", lambda row: row["prefix"] or "(all)"),
    _number("files", "looked at"),
    _number("ended"),
    _number("queued"),
    _number("waiting", "in work"),
    Column("NEW, NO FILE", lambda row: f"{row['new'] + row['ignored']:,}", is_number=True),
    Column("LEFT BEHIND", lambda row: f"{row['unavailable'] + row['recent'] + row['paused']:,}", is_number=True),
    Column("UPDATED", lambda row: ago(row["updated"], datetime.now(UTC)), is_number=True),
    Column("STATE", lambda row: _state(row) if row["state"] == "waiting" else row["state"]),
    field("after"),
)


class Backfill(click.Group):
    """A group in which a word that is no command of it is the prefix for `begin`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_own = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if is_own else ["begin", *args])


@click.group("backfill", cls=Backfill)
def backfill() -> None:
    """Run the files that were in the bucket before.

    \b
      ./sluice backfill PREFIX          count and price them, as `begin` does
      ./sluice backfill PREFIX --yes    begin
    """


@backfill.command("begin")
@click.argument("prefix", default="")
@click.option("--all", "every", is_flag=True, help="All objects of the uploads bucket.")
@click.option("--yes", is_flag=True, help="Begin, without counting. Otherwise the files are only counted and priced.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="FILES", help="Most files to queue, or to count; `resume` adds as many."
)
@options.output
def begin(out: Output, prefix: str, *, every: bool, yes: bool, limit: int | None) -> Code:
    """Count the files of a prefix without a run, or begin their run 0.

    PREFIX is the beginning of the objects' names, such as `photos/2024/`, or gs://BUCKET/PREFIX.

    Once begun, the sweeper queues the files in pages, and waits while queues are full or paused. This machine may be switched
    off, and live uploads are not held up. New files are left to their notifications.
    """
    cloud = connect()
    prefix = _checked(prefix, cloud.settings.uploads_bucket, every)
    if not yes:
        return _count(out, prefix, limit, cloud)
    begun = operations.begin(prefix, cloud, limit or 0)
    identity = begun.backfill.begun.backfill
    out.note(f"follow it: ./sluice backfill ls; stop it: ./sluice backfill stop {identity}")
    return _print(out, [begun])


def _count(out: Output, prefix: str, limit: int | None, cloud: Cloud) -> Code:
    found, names = Count(), []
    with closing(counting.look(prefix, cloud)) as looked:
        for one in out.progress(looked, 0, "counting"):
            found.add(one)
            names += [one.name] if one.file and out.format == "name" else []
            if found.states["open"] == limit:
                break
    seconds = round(found.seconds(cloud))
    groups = [group.to_json() for group in sorted(found.groups.values(), key=lambda group: -group.files)]
    states = dict.fromkeys(counting.STATES, 0) | found.states
    answer = {"prefix": prefix, **states, "groups": groups, "use": found.use.to_json(), "seconds": seconds}
    out.document(answer, "\n".join(_lines(found, groups, seconds)), names)
    new = ": new files are left to their notifications" if states["new"] else ""
    out.note("nothing has begun: --yes begins" if states["open"] else f"nothing to begin{new}")
    return Code.DONE


def _checked(prefix: str, bucket: str, every: bool) -> str:
    """The prefix without the bucket; the whole bucket only where it is asked for."""
    if prefix.startswith("gs://"):
        named, _, prefix = prefix.removeprefix("gs://").partition("/")
        if named != bucket:
            raise options.wrong(f"the uploads bucket is gs://{bucket}; files of other buckets are never processed")
    if bool(prefix) == every:
        raise options.wrong("name a prefix, or give --all")
    return prefix


def _lines(found: Count, groups: list[Json], seconds: int) -> Iterator[str]:
    states = found.states
    passed = f"{states['ended']:,} have ended, {states['new']:,} are new, {states['ignored']:,} are no files"
    yield f"{states.total():,} objects: {passed}, {states['open']:,} have not run or are in work"
    if groups:
        yield ""
        yield from table.lines(groups, GROUPS)
        yield ""
        price = f"at least {found.use.calls:,} calls, ${found.use.dollars:,.6f} at list prices"
        yield f"{price}, outputs and CPU time not counted; at least {timedelta(seconds=seconds)} at the queues' rates"


@backfill.command("ls")
@options.output
def ls(out: Output) -> Code:
    """List backfills, newest first.

    A backfill is running, waits for queues that are full or paused, was stopped, has reached its LIMIT, is DONE, or has LOST its
    page: resume it. LEFT BEHIND are files that need another backfill: they have a fault that the sweeper's log names, or were
    queued and lost on the same day, in UTC, and queues refuse their names until the next.
    """
    found = list(operations.shown(connect()))
    if not found:
        out.note("no backfills found")
    return _print(out, found)


@backfill.command("stop")
@click.argument("identity", metavar="ID")
@options.output
def stop(out: Output, identity: str) -> Code:
    """Stop a backfill.

    Its page under way, of at most a thousand files, ends. What is queued is worked: pause the queues to hold it.
    """
    return _print(out, [operations.stop(identity, connect())])


@backfill.command("resume")
@click.argument("identity", metavar="ID")
@options.output
def resume(out: Output, identity: str) -> Code:
    """Go on with a backfill.

    It was stopped, has reached its limit, or has lost its page.
    """
    return _print(out, [operations.resume(identity, connect())])


def _print(out: Output, found: list[Shown]) -> Code:
    out.rows([one.to_json() for one in found], BACKFILLS, "backfill")
    return Code.DONE


COMMANDS = (backfill,)
