"""`sweep`."""

import time

import click

from cli import options
from cli.connection import connect
from cli.exits import Code
from cli.output import Output
from cli.table import Column, field
from shared.model import Json
from shared.operations import sweep as operations
from shared.operations.sweep_report import OUTCOMES, Report
from shared.sweep_part import Part

COLUMNS = (Column("JOBS", lambda row: f"{row['jobs']:,}", is_number=True), field("outcome"))


@click.command("sweep")
@options.output
def sweep(out: Output) -> Code:
    """Queue again what was lost, now.

    The jobs without an index entry of the last 14 days: QUEUED again, or left alone, because a task of them is WAITING
    in its queue, because a RECENT sweep of the day queued them, because their queue is PAUSED, because they ENDED in the
    meantime, or because something is UNAVAILABLE. The sweeper does the same by schedule. Repeats do no harm.
    """
    report = operations.sweep(Part(int(time.time())), connect(), lambda: True)
    out.rows(_rows(report), COLUMNS, "outcome")
    out.note(f"read {report.uploads:,} uploads, {report.entries:,} index entries, {report.claims:,} later runs")
    if report.guarded:
        out.note("end the loop, or lift the guard: ./sluice guard ls; it paused these queues: ./sluice resume QUEUE")
    return Code.SOME_FAILED if report.jobs["unavailable"] else Code.DONE


def _rows(report: Report) -> list[Json]:
    return [{"outcome": outcome, "jobs": report.jobs[outcome]} for outcome in OUTCOMES]


COMMANDS = (sweep,)
