"""`webhooks ls`, `webhooks test` and `webhooks resume`."""

import click

from cli import options
from cli.connection import connect
from cli.exits import Code
from cli.output import Output
from cli.queues import age_of_oldest
from cli.table import Column, field
from shared.model import Json
from shared.operations import webhooks as operations
from shared.operations.webhooks import WAIT_SECONDS, State
from shared.routes.keys import VERDICTS


def _verdicts(row: Json) -> str:
    return "all" if len(row["verdicts"]) == len(VERDICTS) else ",".join(row["verdicts"])


COLUMNS = (
    field("webhook"),
    Column("STATE", lambda row: "PAUSED" if row["is_paused"] else "running"),
    field("depth", is_number=True),
    field("running", is_number=True),
    Column("OLDEST", age_of_oldest, is_number=True),
    Column("NOTICES", lambda row: ",".join(row["notices"])),
    Column("VERDICTS", _verdicts),
    field("url"),
)
TESTED = (field("webhook"), field("state"), field("event"))
#: What the end of a test means.
SENTENCES = {
    "taken": "{webhook} took the test: its receiver answered 2xx",
    "refused": "{webhook} did not take the test; the notifier's log has the answer, with the event {event}",
    "unanswered": f"{{webhook}} gave no answer in {WAIT_SECONDS:g} seconds; the test left the queue. Is the notifier running?",
    "paused": "{webhook} is paused: ./sluice webhooks resume {webhook}. A receiver that still answers 410 pauses it again",
}


@click.group("webhooks")
def webhooks() -> None:
    """Show, test and resume webhooks."""


@webhooks.command("ls")
@options.output
def ls(out: Output) -> Code:
    """List the webhooks, and what waits for each.

    DEPTH counts the notices that wait, RUNNING those under delivery. OLDEST is the age of the first that is due.
    URLs are without their query.
    """
    return _print(out, operations.states(connect()))


@webhooks.command("test")
@click.argument("name", metavar="WEBHOOK")
@options.output
def test(out: Output, name: str) -> Code:
    """Send a test.

    It is signed and takes the way of a notice: the webhook's queue, and the notifier. Its type is sluice.webhook.test.v1.
    The exit code is 0 once the receiver has answered 2xx.
    """
    tested = operations.send_test(name, connect()).to_json()
    out.rows([tested], TESTED, "event")
    out.note(SENTENCES[tested["state"]].format(**tested))
    return Code.DONE if tested["state"] == "taken" else Code.SOME_FAILED


@webhooks.command("resume")
@click.argument("name", metavar="WEBHOOK")
@options.output
def resume(out: Output, name: str) -> Code:
    """Deliver to a paused webhook again.

    A webhook is paused when its receiver answers 410. What waited is posted again; what is older than three days has one attempt.
    """
    return _print(out, (operations.resume(name, connect()),))


def _print(out: Output, states: tuple[State, ...]) -> Code:
    out.rows([state.to_json() for state in states], COLUMNS, "webhook")
    if not states:
        out.note("pipeline.toml has no webhooks")
    return Code.DONE


COMMANDS = (webhooks,)
