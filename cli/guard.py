"""`guard ls` and `guard lift`."""

import click

from cli import options
from cli.connection import connect
from cli.exits import Code
from cli.output import Output
from cli.table import Column, field
from shared.operations import guard as operations
from shared.operations.guard import Mark

COLUMNS = (
    field("day"),
    Column("STATE", lambda row: "lifted" if row["is_lifted"] else "ON"),
    field("count", is_number=True),
    field("ceiling", is_number=True),
    field("object"),
)


@click.group("guard")
def guard() -> None:
    """Show and lift the runaway guard."""


@guard.command("ls")
@options.output
def ls(out: Output) -> Code:
    """List what the runaway guard skips, the newest day first.

    On its DAY, in UTC, more than CEILING were counted. Uploads of this OBJECT and day are `skipped`, with the reason `guard`.
    """
    return _print(out, operations.marks(connect()), "the runaway guard skips nothing")


@guard.command("lift")
@click.argument("objects", nargs=-1, metavar="[OBJECT]...")
@options.output
def lift(out: Output, objects: tuple[str, ...]) -> Code:
    """Take these uploads again, all that the guard skips without a name.

    It holds for the uploads of the same day, and is seen within a minute. Then resume the queues, and run again what was skipped:
    ./sluice resume --all, ./sluice rerun --reason guard.
    """
    return _print(out, operations.lift(objects, connect()), "there was nothing to lift")


def _print(out: Output, marks: list[Mark], none: str) -> Code:
    out.rows([mark.to_json() for mark in marks], COLUMNS, "object")
    if not marks:
        out.note(none)
    return Code.DONE


COMMANDS = (guard,)
