"""The state of the queues, and stopping and starting them."""

from collections.abc import Callable

import pytest

from shared.errors import NotFound
from shared.model import File, Run
from shared.operations import queues
from shared.pipeline import enlist
from shared.testing import FakeCloud


def test_every_queue_of_the_pipeline_is_shown(cloud: FakeCloud, cat: File) -> None:
    enlist(Run(cat), cloud.routes.plan(cat), cloud)
    cloud.queue.pause("digests")
    shown = queues.states(cloud).to_json()["queues"]

    assert [(row["queue"], row["is_paused"], row["depth"]) for row in shown] == [("images", False, 1), ("digests", True, 1)]


def test_named_queues_are_paused_and_resumed(cloud: FakeCloud) -> None:
    paused = queues.pause(("images",), cloud)
    between = set(cloud.queue.paused)
    resumed = queues.resume(("images",), cloud)

    assert [state.is_paused for state in (*paused.queues, *resumed.queues)] == [True, False]
    assert (between, cloud.queue.paused) == ({"images"}, set())


def test_without_a_name_all_queues_are_meant(cloud: FakeCloud) -> None:
    queues.pause((), cloud)
    between = set(cloud.queue.paused)
    queues.resume((), cloud)

    assert (between, cloud.queue.paused) == ({"images", "digests"}, set())


def test_the_queue_of_the_sweeper_is_changed_where_it_is_named(cloud: FakeCloud) -> None:
    queues.pause(("sweeper", "images"), cloud)
    between = set(cloud.queue.paused)
    resumed = queues.resume(("sweeper",), cloud)

    assert (between, cloud.queue.paused) == ({"sweeper", "images"}, {"images"})
    assert [(state.queue, state.is_paused) for state in resumed.queues] == [("sweeper", False)]
    with pytest.raises(NotFound):
        queues.resume(("sweeper", "imags"), cloud)


@pytest.mark.parametrize("change", [queues.pause, queues.resume])
def test_one_unknown_name_changes_nothing(cloud: FakeCloud, change: type) -> None:
    cloud.queue.pause("digests")

    with pytest.raises(NotFound, match="no queue 'imags'; it has images, digests"):
        change(("images", "digests", "imags"), cloud)
    assert cloud.queue.paused == {"digests"}


def test_the_first_tasks_are_those_under_delivery_then_those_due_next(cloud: FakeCloud, uploaded: Callable[..., File]) -> None:
    files = [uploaded(f"{number}.txt", b"x", "text/plain") for number in range(queues.MAX_FIRST + 5)]
    for file in files:
        enlist(Run(file), cloud.routes.plan(file), cloud)
    cloud.queue.running.add(f"digests/{list(cloud.queue.added.values())[-1].name}")
    found = queues.first("digests", cloud)

    assert len(found) == queues.MAX_FIRST
    assert [task.file.name for task, queued in found if queued.is_running] == [files[-1].name] == [found[0][0].file.name]


def test_the_tasks_of_an_unknown_queue_are_refused(cloud: FakeCloud) -> None:
    with pytest.raises(NotFound, match="no queue 'lost'"):
        queues.first("lost", cloud)
