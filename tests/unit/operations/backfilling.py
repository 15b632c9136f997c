"""The pages of a backfill, delivered by hand, and what they left in the fake cloud."""

from typing import Any

import pytest

from shared import backfill_page, pipeline
from shared.backfill_page import Page
from shared.operations import backfill as backfills
from shared.operations import backfill_pages
from shared.operations.backfill import Shown
from shared.plan import Plan
from shared.testing import FakeCloud
from tests.unit.operations.conftest import Fixed


def give(cloud: FakeCloud, steps: Plan) -> None:
    """Give every file this plan from now on."""
    cloud.routes = Fixed(steps)  # type: ignore[assignment]


def next_page(cloud: FakeCloud) -> Page | None:
    """The page that waits in the queue of the sweeper."""
    waiting = [page for name, page in cloud.queue.pages.items() if name not in cloud.queue.deleted]
    assert len(waiting) <= 1
    return waiting[0] if waiting else None


def deliver_page(cloud: FakeCloud, number: int = 1) -> None:
    """Deliver the page that waits, for the time of this number, and take it off its queue."""
    page = next_page(cloud)
    assert page
    backfill_pages.work(backfill_page.read(page.to_json()), number, cloud)
    cloud.queue.deleted.add(f"{page.queue}/{page.name}")


def drain(cloud: FakeCloud) -> None:
    """Work the tasks that wait, as if within the last minute."""
    for queue in ("q1", "q2", "q3"):
        tasks = list(cloud.queue.tasks(queue))
        for task, _ in tasks:
            pipeline.process(task, 1, cloud)
            cloud.queue.delete(task)
        cloud.queue.last_minute[queue] = len(tasks)


def run(cloud: FakeCloud, *, most: int = 100) -> None:
    """Deliver pages until none waits; the queues are worked between them."""
    for _ in range(most):
        if next_page(cloud) is None:
            return
        deliver_page(cloud)
        drain(cloud)
    pytest.fail("the backfill does not end")


def show(cloud: FakeCloud) -> Shown:
    (shown,) = backfills.shown(cloud)
    return shown


def counts(cloud: FakeCloud) -> dict[str, int]:
    return dict(show(cloud).backfill.progress.counts)


def verdicts(cloud: FakeCloud) -> list[str]:
    return [name.split("/")[1] for name in cloud.results.names("index/")]


def calls(counted: Any) -> dict[str, int]:
    return {name: counted.calls.count(name) for name in set(counted.calls)}
