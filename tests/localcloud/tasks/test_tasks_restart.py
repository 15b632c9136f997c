"""Acknowledged changes survive a kill of the process."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from tests.eventually import eventually
from tests.localcloud.target import Target
from tests.localcloud.tasks.world import LOCATION, client_of
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
QUEUE = f"{LOCATION}/queues/q"


@contextlib.contextmanager
def process(data: Path) -> Iterator[tasks_v2.CloudTasksClient]:
    """The service until `kill -9`."""
    port = free_port()
    command = [sys.executable, "-m", "tests.localcloud.tasks.serve", str(data), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            with client_of(port) as client:
                yield client
        finally:
            child.kill()


def task(id_: str, target: Target) -> tasks_v2.Task:
    return tasks_v2.Task(name=f"{QUEUE}/tasks/{id_}", http_request={"url": target.url, "body": id_.encode()})


def test_tasks_names_and_the_pause_survive_a_kill(tmp_path: Path, target: Target) -> None:
    with process(tmp_path) as client:
        client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE))
        client.pause_queue(name=QUEUE)
        for id_ in ("a", "b", "c"):
            client.create_task(parent=QUEUE, task=task(id_, target))
        client.delete_task(name=f"{QUEUE}/tasks/b")

    with process(tmp_path) as client:
        assert [found.name[-1] for found in client.list_tasks(parent=QUEUE)] == ["a", "c"]
        assert client.get_queue(name=QUEUE).state == tasks_v2.Queue.State.PAUSED
        with pytest.raises(exceptions.Conflict, match="existed too recently"):
            client.create_task(parent=QUEUE, task=task("b", target))
        client.resume_queue(name=QUEUE)
        assert {request.body for request in target.wait_for(2)} == {b"a", b"c"}


def test_a_task_in_flight_at_the_kill_is_dispatched_again(tmp_path: Path, target: Target) -> None:
    target.gate.clear()
    with process(tmp_path) as client:
        client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE))
        client.create_task(parent=QUEUE, task=task("a", target))
        target.wait_for(1)
    target.gate.set()

    with process(tmp_path):
        second = target.wait_for(2)[1]

    assert (second.body, second.headers["X-CloudTasks-TaskRetryCount"]) == (b"a", "1")


def test_the_attempts_of_a_failed_task_survive_a_kill(tmp_path: Path, target: Target) -> None:
    target.replies = [500]
    with process(tmp_path) as client:
        client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE, retry_config={"min_backoff": {"seconds": 3600}}))
        client.create_task(parent=QUEUE, task=task("a", target))
        target.wait_for(1)
        eventually(lambda: client.get_task(name=f"{QUEUE}/tasks/a").response_count, "the attempt to end")

    with process(tmp_path) as client:
        client.run_task(name=f"{QUEUE}/tasks/a")
        second = target.wait_for(2)[1]

    assert second.headers["X-CloudTasks-TaskRetryCount"] == "1"
    assert second.headers["X-CloudTasks-TaskPreviousResponse"] == "500"
