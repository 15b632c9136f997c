"""`ls`, `show` and `explain`."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from cli import findings, options, texts
from cli.connection import connect
from cli.exits import Code
from cli.output import Output, terminal_width
from cli.table import Column, field
from cli.times import short
from shared import members as extracted
from shared.cloud.protocols import Cloud
from shared.model import Json
from shared.operations import explain as explaining
from shared.operations import listing
from shared.operations import show as showing
from shared.operations.listing import Query

JOBS = (
    field("verdict"),
    Column("ENDED", lambda row: short(row["ended"])),
    field("run", is_number=True),
    field("size", "bytes", is_number=True),
    field("reason"),
    field("name", "object"),
    field("message"),
)

MEMBERS = (
    field("number", is_number=True),
    field("state"),
    field("size", "bytes", is_number=True),
    Column("REASON", lambda row: ", ".join(row["reasons"])),
    field("object"),
)


@click.command("ls")
@options.query
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, metavar="COUNT", help="Most files to list.")
@click.option("--page-token", metavar="TOKEN", default="", help="Continue after an earlier page, which printed this token.")
@options.output
def ls(out: Output, query: Query, limit: int, page_token: str) -> Code:
    """List files and how they ended, newest upload first.

    Each file is listed by its newest run; one in work is `processing`.
    """
    page = listing.page(query, connect(), limit, page_token)
    out.rows([job.to_json() for job in page.jobs], JOBS, "name")
    if not page.jobs:
        out.note("no files found")
    if page.next:
        out.note(f"more: repeat the command with --page-token {page.next}")
    return Code.DONE


@click.command("show")
@click.argument("name")
@click.option(
    "--older", metavar="TOKEN", default="", help="Show the generations before those of an answer that printed this token."
)
@click.option("--members", is_flag=True, help="Show the files that its newest run extracted from it.")
@click.option("--page-token", metavar="TOKEN", default="", help="Continue after an earlier page of members.")
@options.output
def show(out: Output, name: str, older: str, *, members: bool, page_token: str) -> Code:
    """Show the runs of a file, and why its steps failed.

    Each step has its times, cost, reason and outputs; in work its queue, attempt, last error and next try.
    What the newest run found out about a document, table or text follows; --format=json has all facts.
    """
    cloud = connect()
    if members:
        return _members(out, extracted.page("objects", name, page_token, cloud))
    answer = showing.show(name, cloud, older)
    found = list(findings.lines(_facts(answer, cloud), terminal_width())) if out.format == "table" else []
    text = texts.of_file(answer, datetime.now(UTC), found)
    out.document(answer, text, texts.outputs(answer, cloud.settings.results_bucket))
    return Code.DONE


def _facts(answer: Json, cloud: Cloud) -> Iterator[Json]:
    """The facts of each step of the newest run."""
    for run in answer.get("runs", ())[:1]:
        yield from (showing.facts(step, cloud) for step in run["steps"])


def _members(out: Output, page: Json) -> Code:
    out.rows(page["members"], MEMBERS, "object")
    if not page["members"]:
        out.note("no extracted files found")
    if page["next"]:
        out.note(f"more: repeat the command with --page-token {shlex.quote(page['next'])}")
    return Code.DONE


@click.command("explain")
@click.argument("name")
@click.option("--content-type", metavar="TYPE", default="", help="Its content type, such as image/jpeg.")
@click.option("--size", type=click.IntRange(0), default=None, metavar="BYTES", help="Its size.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Its custom metadata; may be repeated.")
@options.output
def explain(out: Output, name: str, content_type: str, size: int | None, metadata: tuple[str, ...]) -> Code:
    """Explain which routes take a file, its plan, and its price.

    Nothing runs. The file need not exist: give its content type, size and metadata, or those to assume instead of its own.
    """
    answer = explaining.explain(name, connect(), content_type, dict(map(_pair, metadata)), size)
    out.document(answer, texts.of_explanation(answer, terminal_width()), (step["step"] for step in answer["steps"]))
    return Code.DONE


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise options.wrong(f"--metadata takes KEY=VALUE, not {text!r}")
    return key, value


COMMANDS = (ls, show, explain)
