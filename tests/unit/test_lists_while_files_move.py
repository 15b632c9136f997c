"""A list is many reads. A file that moves on between any two of them is on it all the same."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from shared import index, manifest
from shared import routes as routing
from shared import settings as configuration
from shared.index import Entry
from shared.manifest import Job
from shared.model import Run
from shared.operations import listing
from shared.operations.listing import Query
from shared.plan import Task
from shared.routes import Routes
from shared.testing import FakeCloud
from tests.conftest import ENVIRONMENT
from tests.unit.pipelines import table
from tests.unit.plans import CAT

SETTINGS = configuration.load(ENVIRONMENT)
#: Three tasks, one after the other; the last waits in the queue of the first.
STEPS = {"first": {"queue": "slow"}, "second": {"after": ["first"]}, "third": {"queue": "slow", "after": ["second"]}}
#: The lists of queues and of ranges of the index that one list of jobs takes.
READS = 3 + 8


class Moving:
    """A client of the cloud that calls `move` before each list."""

    def __init__(self, client: Any, move: Callable[[], None]) -> None:
        self._client, self._move = client, move

    def page(self, *arguments: Any) -> Any:
        self._move()
        return self._client.page(*arguments)

    def tasks(self, queue: str) -> Any:
        self._move()
        return list(self._client.tasks(queue))


def pipeline() -> Routes:
    return routing.check(table(STEPS))


def listed_while_moving(moves: Sequence[int], routes: Routes) -> tuple[list[Entry], int]:
    """The list during which a file's tasks end before the reads of these numbers; and the number of reads."""
    cloud = FakeCloud(SETTINGS, routes)
    queue, results, run, plan = cloud.queue, cloud.results, Run(CAT), routes.plan(CAT)
    tasks = [Task(run, plan, place) for place in plan.places]
    queue.add(tasks[0])
    reads, ended = itertools.count(), 0

    def move() -> None:
        nonlocal ended
        read = next(reads)
        while ended < len(tasks) and moves[ended] <= read:
            if tasks[ended] is tasks[-1]:
                index.write(results, Job([manifest.of_no_task(run, "failed", "", "", "2026-01-15T10:00:00.000Z")]))
            else:
                queue.add(tasks[ended + 1])
            queue.delete(tasks[ended])
            ended += 1

    cloud.queue, cloud.results = Moving(queue, move), Moving(results, move)  # type: ignore[assignment]
    return list(listing.jobs(Query(), cloud)), next(reads)


def test_a_file_that_moves_on_while_a_list_is_read_is_listed_once() -> None:
    routes = pipeline()
    moments = list(itertools.combinations_with_replacement(range(READS + 1), 3))

    lists = {moves: listed_while_moving(moves, routes) for moves in moments}

    assert [moves for moves, (jobs, _) in lists.items() if len(jobs) != 1] == []
    assert {reads for _, reads in lists.values()} == {READS}
