"""`queues`, `pause` and `resume`."""

from datetime import UTC, datetime

import click

from cli import options
from cli.connection import connect
from cli.exits import Code
from cli.options import Command
from cli.output import Output
from cli.table import Column, field
from cli.times import ago
from shared.model import Json
from shared.operations import queues as operations
from shared.operations.queues import Answer


def age_of_oldest(row: Json) -> str:
    """The age of the first task that is due. Cloud Tasks names a time also where every task is under delivery."""
    return ago(row["oldest"], datetime.now(UTC)) if row["depth"] > row["running"] else ""


COLUMNS = (
    field("queue"),
    Column("STATE", lambda row: "PAUSED" if row["is_paused"] else "running"),
    field("depth", is_number=True),
    field("running", is_number=True),
    Column("OLDEST", age_of_oldest, is_number=True),
    field("rate", is_number=True),
    field("last_minute", is_number=True),
)


def _chosen(command: Command) -> Command:
    argument = click.argument("names", nargs=-1, metavar="[QUEUE]...")
    return argument(click.option("--all", "every", is_flag=True, help="All queues of pipeline.toml.")(command))


@click.command("queues")
@options.output
def queues(out: Output) -> Code:
    """Show what waits and runs in each queue.

    DEPTH counts its tasks, RUNNING those under delivery. OLDEST is the age of the first that is due.
    RATE is the most deliveries a second; LAST MINUTE counts those that were answered in it.
    """
    return _print(out, operations.states(connect()))


@click.command("pause")
@_chosen
@options.output
def pause(out: Output, names: tuple[str, ...], every: bool) -> Code:
    """Pause queues.

    What is under delivery ends, the rest waits. `deploy.sh up` asks before it resumes them.
    """
    return _print(out, operations.pause(_checked(names, every), connect()))


@click.command("resume")
@_chosen
@options.output
def resume(out: Output, names: tuple[str, ...], every: bool) -> Code:
    """Resume paused queues."""
    return _print(out, operations.resume(_checked(names, every), connect()))


def _checked(names: tuple[str, ...], every: bool) -> tuple[str, ...]:
    if bool(names) == every:
        raise options.wrong("name the queues, or give --all")
    return names


def _print(out: Output, answer: Answer) -> Code:
    out.rows(answer.to_json()["queues"], COLUMNS, "queue")
    return Code.DONE


COMMANDS = (queues, pause, resume)
