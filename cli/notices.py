"""`tail` and `dead-letters`."""

import base64
from collections.abc import Iterator
from itertools import islice

import click

from cli import exits, options
from cli.connection import connect
from cli.exits import Code
from cli.options import Words
from cli.output import Output
from cli.table import Column, field, printable
from cli.texts import printable_lines
from cli.times import short
from shared.index import VERDICTS
from shared.manifest import reasons
from shared.model import Json
from shared.operations import dead_letters as letters
from shared.operations import tail as tailing
from shared.operations.dead_letters import Letter
from shared.operations.tail import Told

NOTICES = (
    Column("TIME", lambda row: short(row["time"]), width=19),
    field("verdict", width=10),
    field("step", width=12),
    field("reason", width=16),
    field("object"),
)
LETTERS = (
    field("id"),
    Column("TIME", lambda row: short(row["time"])),
    field("bytes", is_number=True),
    field("object"),
    field("reason"),
)


@click.command("tail")
@click.option("--steps", is_flag=True, help="The notices of steps too, not only those of whole files.")
@click.option(
    "--verdict", "verdicts", type=Words(VERDICTS), default=(), metavar="VERDICT,…", help=f"Only these: {', '.join(VERDICTS)}."
)
@click.option("--limit", type=click.IntRange(1), default=None, metavar="COUNT", help="Stop after so many.")
@options.output
def tail(out: Output, steps: bool, verdicts: tuple[str, ...], limit: int | None) -> Code:
    """Print notices as they come, until Ctrl-C.

    They come through a subscription of its own, deleted at the end: no other subscriber misses any.
    """
    if out.format == "json" and limit is None:
        raise options.wrong("--format json needs --limit; ndjson prints each notice as it comes")
    with tailing.tail(connect()) as told:
        chosen = (one for one in told if (steps or not one.step) and (not verdicts or one.verdict in verdicts))
        out.stream(map(_row, islice(chosen, limit)), NOTICES, "object")
    return Code.DONE


def _row(told: Told) -> Json:
    reason = told.reason or reasons(told.data.get("steps", ()))
    return {"object": told.object, "verdict": told.verdict, "step": told.step, "reason": reason, **told.to_json()}


@click.group("dead-letters")
def dead_letters() -> None:
    """Show and replay messages that could not be read."""


@dead_letters.command("ls")
@options.output
def ls(out: Output) -> Code:
    """List the dead letters, oldest first. They stay."""
    found = letters.letters(connect())
    out.rows([one.to_json() for one in found], LETTERS, "id")
    if not found:
        out.note("no dead letters")
    return Code.DONE


@dead_letters.command("show")
@click.argument("letter", metavar="ID")
@options.output
def show(out: Output, letter: str) -> Code:
    """Show a dead letter: its reason, attributes and data. It stays."""
    found = letters.show(letter, connect())
    out.document(found.to_json(), "\n".join(_text(found)), [found.id])
    return Code.DONE


@dead_letters.command("replay")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All of them.")
@options.output
def replay(out: Output, ids: tuple[str, ...], every: bool) -> Code:
    """Publish dead letters again.

    They are published as they first came, and then taken off. Mend their cause first.
    """
    if bool(ids) == every:
        raise options.wrong("give the ids of dead letters, or --all")
    replayed = letters.replay(ids, connect())
    out.rows([one.to_json() for one in replayed.letters], LETTERS, "id")
    for missing in replayed.missing:
        out.note(f"not found: {missing}")
    return exits.worst([*(Code.DONE for _ in replayed.letters), *(Code.NOT_FOUND for _ in replayed.missing)])


def _text(letter: Letter) -> Iterator[str]:
    yield f"{letter.id}, put aside {short(letter.time)}: {printable(letter.reason)}"
    for key, value in letter.original.attributes.items():
        yield f"  {printable(key)}: {printable(value)}"
    try:
        yield printable_lines(letter.original.data.decode())
    except UnicodeDecodeError:
        yield f"base64: {base64.b64encode(letter.original.data).decode()}"


COMMANDS = (tail, dead_letters)
