"""The statistics of a queue, which only v2beta3 has."""

from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2beta3

from tests.eventually import eventually
from tests.localcloud.target import Target
from tests.localcloud.tasks.world import LOCATION, World, raw

QUEUE = f"/v2beta3/{LOCATION}/queues/q"


@pytest.fixture
def beta(world: World) -> Iterator[tasks_v2beta3.CloudTasksClient]:
    options = {"api_endpoint": f"http://127.0.0.1:{world.port}"}
    client = tasks_v2beta3.CloudTasksClient(transport="rest", credentials=AnonymousCredentials(), client_options=options)
    yield client
    client.transport.close()


def test_a_queue_counts_the_tasks_that_wait(world: World, beta: tasks_v2beta3.CloudTasksClient) -> None:
    queue = world.queue("q", rate_limits={"max_dispatches_per_second": 7})
    world.client.pause_queue(name=queue)
    names = [world.task(queue, "http://127.0.0.1:9/") for _ in range(3)]
    first = world.client.get_task(name=names[0])

    found = beta.get_queue({"name": queue, "read_mask": "state,stats"})
    assert (found.state.name, found.stats.tasks_count, found.stats.concurrent_dispatches_count) == ("PAUSED", 3, 0)
    assert found.stats.oldest_estimated_arrival_time == first.schedule_time
    assert (found.stats.executed_last_minute_count, found.stats.effective_execution_rate) == (0, 7)


def test_a_delivery_under_way_is_counted_until_it_is_answered(
    world: World, beta: tasks_v2beta3.CloudTasksClient, target: Target
) -> None:
    queue = world.queue("q")
    target.gate.clear()
    world.task(queue, target.url)
    target.wait_for(1)

    def counts() -> tuple[int, int, int]:
        stats = beta.get_queue({"name": queue, "read_mask": "stats"}).stats
        return stats.tasks_count, stats.concurrent_dispatches_count, stats.executed_last_minute_count

    assert counts() == (1, 1, 0)
    target.gate.set()
    eventually(lambda: counts() == (0, 0, 1), "the delivery to be counted as answered")


def test_an_overloaded_target_lowers_the_rate(world: World, beta: tasks_v2beta3.CloudTasksClient, target: Target) -> None:
    queue = world.queue("q", rate_limits={"max_dispatches_per_second": 8})
    target.status = 503
    world.task(queue, target.url)

    eventually(
        lambda: beta.get_queue({"name": queue, "read_mask": "stats"}).stats.effective_execution_rate == 4, "half the rate"
    )


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {"name", "rateLimits", "retryConfig", "state"}),
        ("?readMask=stats", {"stats"}),
        ("?readMask=state,rate_limits", {"state", "rateLimits"}),
        ("?readMask=state,rateLimits", {"state", "rateLimits"}),
    ],
)
def test_an_answer_has_the_fields_of_its_mask(world: World, query: str, fields: set[str]) -> None:
    world.queue("q")
    status, answer = raw(world, "GET", QUEUE + query)

    assert (status, set(answer)) == (200, fields)


@pytest.mark.parametrize(("mask", "status"), [("nonsense", 400), ("stats.tasksCount", 405)])
def test_a_mask_that_cannot_be_followed_is_refused(world: World, mask: str, status: int) -> None:
    world.queue("q")
    refusal = raw(world, "GET", f"{QUEUE}?readMask={mask}")

    assert refusal[0] == status
    assert mask in refusal[1]["error"]["message"]


def test_no_other_method_of_that_version_is_emulated(world: World) -> None:
    world.queue("q")

    assert raw(world, "GET", f"{QUEUE}/tasks")[0] == 404
