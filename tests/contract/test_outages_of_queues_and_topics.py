"""Outages of Cloud Tasks and Pub/Sub can be retried: `add` and `publish` raise `Unavailable`."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from google.auth.exceptions import RefreshError, TransportError

from shared import routes as routing
from shared import settings as configuration
from shared.cloud import GoogleCloud, tasks
from shared.cloud.protocols import Cloud
from shared.cloud.tasks import CloudTasks
from shared.errors import Unavailable
from shared.events import Notice
from shared.model import File, Run
from shared.plan import Task
from tests.conftest import ENVIRONMENT, PIPELINE
from tests.localcloud.target import Target
from tests.machine import Machine
from tests.ports import free_port

NOTICE = Notice(b"words", {"ce-id": "1"})


@pytest.fixture
def task() -> Task:
    file = File("uploads", "cat.jpg", 7, 9, "image/jpeg", "AAAAAA==")
    plan = routing.load(PIPELINE).plan(file)
    return Task(Run(file), plan, plan.first[0])


def queue_at(url: str) -> CloudTasks:
    """The Cloud Tasks at this URL; Google's own for an empty URL."""
    return CloudTasks(replace(configuration.load(ENVIRONMENT), tasks_endpoint=url), routing.load(PIPELINE))


@pytest.mark.failure("T13", "T15")
@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_a_refusal_by_the_queue_is_retried(target: Target, task: Task, status: int) -> None:
    target.status = status

    with pytest.raises(Unavailable, match=f"queue {task.place.queue}"):
        queue_at(target.url).add(task)


@pytest.mark.parametrize(
    "body",
    [b'{"error": {"code": 409, "status": "ABORTED"}}', b'{"error": {"status": "OTHER"}}', b'{"error": {}}', b"[]", b"<html>"],
    ids=["aborted", "other", "no status", "no object", "no json"],
)
def test_a_conflict_that_is_not_about_the_name_is_retried(target: Target, task: Task, body: bytes) -> None:
    target.status, target.body = 409, body

    with pytest.raises(Unavailable, match="Conflict"):
        queue_at(target.url).add(task)


def test_a_conflict_about_the_name_is_an_earlier_task(target: Target, task: Task) -> None:
    target.status, target.body = 409, b'{"error": {"code": 409, "status": "ALREADY_EXISTS"}}'

    assert queue_at(target.url).add(task) is False


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_queue_that_refuses_to_be_asked_is_unavailable(target: Target, task: Task, status: int) -> None:
    target.status = status

    with pytest.raises(Unavailable, match=f"queue {task.place.queue}"):
        queue_at(target.url).find(task)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("call", ["tasks", "state", "pause", "resume"])
def test_a_queue_that_refuses_an_operator_is_unavailable(target: Target, task: Task, call: str, status: int) -> None:
    target.status = status
    operation = getattr(queue_at(target.url), call)

    with pytest.raises(Unavailable, match=f"queue {task.place.queue}"):
        list(operation(task.place.queue))


def test_queues_that_refuse_to_be_listed_are_unavailable(target: Target) -> None:
    target.status = 403

    with pytest.raises(Unavailable, match="queue "):
        list(queue_at(target.url).names())


def test_a_queue_that_refuses_to_delete_is_unavailable(target: Target, task: Task) -> None:
    target.status = 403

    with pytest.raises(Unavailable, match=f"queue {task.place.queue}"):
        queue_at(target.url).delete(task)


def test_an_unreachable_queue_is_retried(task: Task) -> None:
    queue = queue_at(f"http://127.0.0.1:{free_port()}")

    with pytest.raises(Unavailable, match="ConnectionError"):
        queue.add(task)
    with pytest.raises(Unavailable, match="ConnectionError"):
        queue.find(task)


def test_a_silent_queue_times_out(monkeypatch: pytest.MonkeyPatch, target: Target, task: Task) -> None:
    monkeypatch.setattr(tasks, "TIMEOUT_SECONDS", 0.05)
    target.gate.clear()

    with pytest.raises(Unavailable, match="ReadTimeout"):
        queue_at(target.url).add(task)


def test_a_truncated_answer_of_a_queue_is_retried(target: Target, task: Task) -> None:
    target.replies = [(200, {"Content-Length": "1000", "Connection": "close"})]

    with pytest.raises(Unavailable, match="ChunkedEncodingError"):
        queue_at(target.url).add(task)


@pytest.mark.parametrize("error", [RefreshError("no grant yet"), TransportError("unreachable")], ids=["refused", "unreachable"])
def test_without_a_token_of_our_own_account_queueing_is_retried(
    without_token: Callable[[Exception], None], task: Task, error: Exception
) -> None:
    without_token(error)

    with pytest.raises(Unavailable, match=type(error).__name__):
        queue_at("").add(task)


@pytest.fixture
def plant(machine: Machine) -> Iterator[Callable[..., str]]:
    """Plant a fault; it is cleared after the test."""
    yield machine.fault
    machine.fault("clear")


@pytest.mark.parametrize("status", ["500", "503"])
def test_one_fault_of_the_topic_is_survived(real: Cloud, machine: Machine, plant: Callable[..., str], status: str) -> None:
    plant("answer", "pubsub", "--status", status, "--match", "Publisher/Publish")
    real.completions.publish(NOTICE)

    assert machine.fault("list") == "no fault is planted\n"


@pytest.mark.failure("T34")
@pytest.mark.parametrize("status", ["403", "404"])
def test_a_refusal_by_the_topic_is_retried(real: Cloud, plant: Callable[..., str], status: str) -> None:
    plant("answer", "pubsub", "--status", status, "--match", "Publisher/Publish")

    with pytest.raises(Unavailable, match="topic projects/local-project/topics/completions"):
        real.completions.publish(NOTICE)


def test_a_topic_that_fails_until_the_deadline_is_retried(real: Cloud, plant: Callable[..., str]) -> None:
    plant("answer", "pubsub", "--status", "503", "--match", "Publisher/Publish", "--next", "1000")

    with pytest.raises(Unavailable, match="RetryError"):
        GoogleCloud(real.settings, retry_seconds=1).completions.publish(NOTICE)
