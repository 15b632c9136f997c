"""`rerun` and `cancel`."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import click

from cli import exits, options
from cli.connection import connect
from cli.exits import Code
from cli.output import Output
from cli.table import field
from shared.cloud.protocols import Cloud
from shared.errors import NotFound
from shared.operations import bulk
from shared.operations import cancel as cancelling
from shared.operations.bulk import Chosen, Outcome, PlanOf
from shared.operations.cancel import Answer
from shared.operations.listing import Query
from shared.operations.prices import Use

CHOSEN = field("state"), field("verdict"), field("reason"), field("object"), field("job_id", "job")
OUTCOMES = field("state"), field("run", is_number=True), field("object"), field("job_id", "job"), field("message")
STEPS = field("state"), field("step"), field("run", is_number=True), field("object"), field("job_id", "job")
#: The exit code of each state: `unknown` objects were not found.
CODES = {
    "ready": Code.DONE,
    "begun": Code.DONE,
    "resumed": Code.DONE,
    "unknown": Code.NOT_FOUND,
    "unavailable": Code.UNREACHABLE,
}


@click.command("rerun")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.query
@click.option(
    "--plan",
    type=click.Choice(["today", "same"]),
    default="today",
    show_default=True,
    help="The plan of pipeline.toml now, or that of the last run.",
)
@click.option("--fresh", is_flag=True, help="Run every step; otherwise a step whose recipe succeeded keeps its results.")
@click.option("--yes", is_flag=True, help="Begin. Without it the files are only listed, counted and priced.")
@options.pace
@options.output
def rerun(
    out: Output, names: tuple[str, ...], query: Query, plan: PlanOf, fresh: bool, yes: bool, request: str, rate: float
) -> Code:
    """Run files again; first counted and priced.

    Name them, or choose them by --verdict, --reason, --since and --name. Each job counts by its newest run.
    Files whose original was deleted or replaced cannot run again, and are named apart.
    """
    if bool(names) == (query != Query()):
        either = "either name the files, or choose them by --verdict, --reason, --since or --name"
        raise options.wrong(f"{either}, not both" if names else either.removeprefix("either "))
    cloud = connect()
    files = list(out.progress(bulk.choose(names, query, plan, cloud, request), len(names), "looking"))
    out.note(_summary(files))
    if not yes:
        out.rows([one.to_json() for one in files], CHOSEN, "object")
        return _code(files)
    request = request or bulk.new_request()
    return begin(out, files, request, repeated(request, query), rate, cloud, fresh=fresh)


def begin(
    out: Output, files: list[Chosen], request: str, again: str, rate: float, cloud: Cloud, *, fresh: bool = False
) -> Code:
    """Begin the runs of these files, and print them. `again` has the options of a repetition."""
    out.note(f"request {request}; if it is cut off, repeat the command with {again}")
    outcomes: list[Outcome] = []
    began = bulk.begin(files, request, cloud, fresh=fresh, per_second=rate, outcomes=outcomes)
    with _printed(outcomes, out, again), closing(began):
        for _ in out.progress(began, sum(one.has_original for one in files), "beginning"):
            pass
    return _code([*(one for one in files if not one.has_original), *outcomes])


@contextmanager
def _printed(outcomes: Sequence[Outcome], out: Output, again: str) -> Iterator[None]:
    """Print the outcomes on leaving, also after an interrupt: those runs have begun."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"to go on, repeat the command with {again}", err=True)
        raise
    finally:
        out.rows([one.to_json() for one in outcomes], OUTCOMES, "job_id")
        if outcomes:
            out.note(", ".join(f"{count:,} {state}" for state, count in Counter(one.state for one in outcomes).items()))
        for sentence in dict.fromkeys(exits.of(one.error)[1] for one in outcomes if one.error):
            click.echo(f"error: {sentence}", err=True)


@click.command("cancel")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.output
def cancel(out: Output, names: tuple[str, ...]) -> Code:
    """Cancel files in work.

    Steps that have not ended are skipped, and their tasks leave the queues.
    A step may end first: it is `overtaken`. Steps that had ended keep their verdict.
    """
    cloud = connect()
    answers, codes = [], []
    for name in names:
        try:
            answers.append(cancelling.cancel(name, cloud))
        except NotFound as error:
            click.echo(f"error: {error.message}", err=True)
            codes.append(Code.NOT_FOUND)
    rows = [answer.to_json() | {"step": step, "state": state} for answer in answers for step, state in answer.steps.items()]
    out.rows(rows, STEPS, "object")
    for answer in (one for one in answers if one.had_ended):
        out.note(f"nothing to cancel: {answer.run.file.name} had ended")
    return exits.worst([*codes, *map(_cancelled, answers)])


def _cancelled(answer: Answer) -> Code:
    return Code.SOME_FAILED if answer.had_ended or "overtaken" in answer.steps.values() else Code.DONE


def repeated(request: str, query: Query) -> str:
    """The options of a repetition; an age such as 2h would be another time by then."""
    since = datetime.fromtimestamp(query.since / 1e6, UTC)
    return f"--request {shlex.quote(request)}" + (f" --since {since:%Y-%m-%dT%H:%M:%S}" if query.since else "")


def _summary(files: Sequence[Chosen]) -> str:
    use = sum((one.use for one in files), Use())
    price = f"{use.calls:,} calls, ${use.dollars:,.6f} at list prices, outputs and CPU time not counted"
    ready = sum(one.state == "ready" for one in files)
    waiting = [f"still in work, to be skipped: {one.name}" for one in files if one.state == "processing"]
    counted = f"{ready:,} of {len(files):,} can run again" + (f": at least {price}" if ready else "")
    return "\n".join([counted, *waiting, *lost(files)])


def lost(files: Sequence[Chosen]) -> list[str]:
    """A line for each file that cannot run again."""
    return [f"cannot run again, {one.state}: {one.name}" for one in files if not one.has_original]


def _code(states: Sequence[Chosen | Outcome]) -> Code:
    return exits.worst(CODES.get(one.state, Code.SOME_FAILED) for one in states)


COMMANDS = (rerun, cancel)
