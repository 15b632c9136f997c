"""Cancelling a file on the fake and on the local cloud."""

import uuid
from collections.abc import Iterator

import pytest

from shared import index, pipeline
from shared.cloud.protocols import Cloud
from shared.model import File, Run
from shared.operations import queues
from shared.operations.cancel import cancel


@pytest.fixture
def waiting(cloud: Cloud) -> Iterator[Run]:
    """A run whose tasks wait in queues that are paused."""
    queues.pause((), cloud)
    stored = cloud.uploads.create(f"{uuid.uuid4().hex}.jpg", "image/jpeg", b"meow")
    file = File("uploads", stored.name, stored.generation, stored.size, stored.content_type, stored.crc32c)
    pipeline.enlist(Run(file), cloud.routes.plan(file), cloud)
    yield Run(file)
    queues.resume((), cloud)


def test_a_cancelled_file_leaves_its_queues_and_ends_as_skipped(cloud: Cloud, waiting: Run) -> None:
    before = {queue: [task.run for task, _ in cloud.queue.tasks(queue)].count(waiting) for queue in cloud.routes.queues}
    answer = cancel(waiting.file.name, cloud)
    again = cancel(waiting.file.name, cloud)

    assert before == {"images": 1, "digests": 1}
    assert (answer.steps, answer.had_ended) == ({"digest": "cancelled", "thumbnails": "cancelled"}, False)
    assert (again.steps, again.had_ended) == (answer.steps, True)
    assert [task for queue in before for task, _ in cloud.queue.tasks(queue) if task.run == waiting] == []
    assert index.has_entry(cloud.results, waiting, ["skipped"])


def test_paused_queues_are_shown_with_what_waits(cloud: Cloud, waiting: Run) -> None:
    states = queues.states(cloud).queues

    assert [(state.queue, state.is_paused, state.depth > 0) for state in states] == [
        ("images", True, True),
        ("digests", True, True),
    ]
