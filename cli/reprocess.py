"""`reprocess`."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice

import click

from cli import options, runs, table
from cli.connection import connect
from cli.exits import Code
from cli.output import Output
from cli.table import Column, field
from shared.cloud.protocols import Cloud
from shared.operations import bulk
from shared.operations import reprocess as operations
from shared.operations.listing import Query
from shared.operations.reprocess import Count, Where

COLUMNS = (
    Column("FILES", lambda row: f"{row['files']:,}", is_number=True),
    field("step"),
    Column("WAS", lambda row: row["was"] or "(none)"),
    field("now"),
)
METADATA = "metadata."


@click.command("reprocess")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only files where step=thumbnails has another recipe, content_type=image/*, metadata.KEY=VALUE; may be repeated.",
)
@options.query
@click.option("--limit", type=click.IntRange(1), metavar="FILES", help="Most files to count, and to begin.")
@click.option("--yes", is_flag=True, help="Begin. Without it the files are only counted and priced.")
@options.pace
@options.output
def reprocess(
    out: Output, conditions: tuple[str, ...], query: Query, *, limit: int | None, yes: bool, request: str, rate: float
) -> Code:
    """Run files again whose recipes are not today's.

    They are counted and priced first.
    Files are chosen from the index alone, by their newest run. Steps whose recipe is the same keep their results.
    Files in work, and those for which there is nothing to do today, are left out.
    """
    cloud = connect()
    where, query = _where(conditions, query, cloud)
    found, names, jobs = Count(), [], []
    with closing(operations.choose(query, where, cloud)) as chosen:
        for one in out.progress(islice(chosen, limit), limit or 0, "counting"):
            found.add(one)
            names += [one.job.name] if out.format == "name" else []
            jobs += [one.job] if yes else []
    if not yes:
        out.document(found.to_json(), "\n".join(_lines(found)), names)
        out.note("nothing has begun: --yes begins" if found.files else "nothing to begin")
        return Code.DONE
    out.note("\n".join(_lines(found)))
    files = list(out.progress(bulk.of_jobs(jobs, "today", cloud, request), len(jobs), "looking"))
    for line in runs.lost(files):
        out.note(line)
    request = request or bulk.new_request()
    return runs.begin(out, files, request, runs.repeated(request, query), rate, cloud)


def _where(conditions: tuple[str, ...], query: Query, cloud: Cloud) -> tuple[Where, Query]:
    """The conditions, as those of the index and the others."""
    where = Where()
    for condition in conditions:
        key, equals, value = condition.partition("=")
        if key == "step" and value in cloud.routes.steps:
            where = replace(where, steps=(*where.steps, value))
        elif key == "content_type" and value:
            query = replace(query, content_type=value)
        elif key.startswith(METADATA) and key != METADATA and equals:
            where = replace(where, metadata={**where.metadata, key.removeprefix(METADATA): value})
        else:
            raise options.wrong(_why(key, value, cloud))
    return where, query


def _why(key: str, value: str, cloud: Cloud) -> str:
    if key == "step":
        return f"pipeline.toml has no step {value!r}; it has {', '.join(cloud.routes.steps)}"
    if key in ("verdict", "reason", "since", "name"):
        return f"--where has no {key}; give --{key}"
    return f"--where takes step=NAME, content_type=TYPE or metadata.KEY=VALUE, not {key}={value}"


def _lines(found: Count) -> Iterator[str]:
    yield f"{found.files:,} files have other recipes today"
    if found.files:
        yield ""
        yield from table.lines(found.to_json()["recipes"], COLUMNS)
        yield ""
        price = f"at least {found.use.calls:,} calls, ${found.use.dollars:,.6f} at list prices"
        yield f"{price}, outputs and CPU time not counted"


COMMANDS = (reprocess,)
