"""A job in the fake cloud: its beginning, its tasks that wait, and its entries in the index."""

from collections.abc import Callable

from shared import pipeline
from shared.model import File, Run
from shared.plan import Plan
from shared.testing import FakeCloud

Planned = Callable[[Plan], None]


def enlist(steps: Plan, cloud: FakeCloud, cat: File, planned: Planned) -> None:
    planned(steps)
    pipeline.enlist(Run(cat), steps, cloud)


def waiting(cloud: FakeCloud) -> list[str]:
    """The places of the tasks in the queues."""
    return [str(task.place) for queue in ("q1", "q2", "q3") for task, _ in cloud.queue.tasks(queue)]


def entries(cloud: FakeCloud) -> list[str]:
    """The verdicts of the index entries."""
    return [name.split("/")[1] for name in cloud.results.names("index/") if not name.startswith("index/rerun/")]
