"""`cost`."""

import click

from cli import options
from cli.connection import connect
from cli.exits import Code
from cli.output import Output
from cli.table import Column, field
from shared.model import Json
from shared.operations import cost as operations
from shared.operations.listing import Query

MIB = 1 << 20


def _mebibytes(name: str, title: str) -> Column:
    return Column(title, lambda row: f"{row[name] / MIB:,.1f}", is_number=True)


def _dollars(row: Json) -> str:
    return f"{row['dollars']:,.6f}"


COLUMNS = (
    field("step"),
    field("count", is_number=True),
    Column("CPU SECONDS", lambda row: f"{row['cpu_seconds']:,.1f}", is_number=True),
    _mebibytes("bytes_in", "MIB IN"),
    _mebibytes("bytes_out", "MIB OUT"),
    field("calls", is_number=True),
    Column("LIST PRICE $", _dollars, is_number=True),
)


@click.command("cost")
@options.query
@options.output
def cost(out: Output, query: Query) -> Code:
    """Add up CPU time, bytes, calls and list price.

    There is a row for each step, from the manifests of all runs of the chosen files.
    The row (tasks) has the calls of all tasks: queueing, reading, manifests, notices; (jobs) the index and the jobs' notices.
    Cloud Run bills an instance, not its CPU time: divide by its share of use. Free quotas are left out.
    """
    costs = operations.cost(out.progress(operations.manifests(query, connect()), 0, "reading manifests"))
    out.rows([one.to_json() for one in costs], COLUMNS, "step")
    use = operations.total(costs)
    out.note(f"together: {use.cpu_seconds:,.1f} s of CPU, {use.calls:,} calls, ${use.dollars:,.6f} at list prices")
    return Code.DONE


COMMANDS = (cost,)
