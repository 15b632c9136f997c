"""The properties of a queue and of a topic that the pipeline relies on."""

import base64
import json
import time
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.pubsub_v1 import SubscriberClient

from localcloud.address import PROJECT
from shared import events, manifest
from shared.cloud import GoogleCloud, tasks
from shared.cloud.protocols import Cloud, Queued
from shared.errors import Unavailable
from shared.manifest import Job
from shared.model import File, Place, Result, Run, canonical
from shared.plan import Plan, PlannedStep, Task
from tests.conftest import PIPELINE
from tests.eventually import eventually
from tests.localcloud.target import Target
from tests.machine import Machine, variables
from tests.unit.pipelines import POOLS


@pytest.fixture
def task(cloud: Cloud) -> Task:
    return _new(cloud)


def test_a_task_is_queued_once_under_its_name(cloud: Cloud, task: Task) -> None:
    assert [cloud.queue.add(task) for _ in range(3)] == [True, False, False]


def test_a_swept_task_is_another_task(cloud: Cloud, task: Task) -> None:
    assert [cloud.queue.add(task), cloud.queue.add(replace(task, sweep=1))] == [True, True]


def test_a_queued_task_is_found_until_it_has_ended(cloud: Cloud, task: Task) -> None:
    assert cloud.queue.find(task) is None
    cloud.queue.add(task)
    found = cloud.queue.find(task)

    assert found is not None
    assert datetime.fromisoformat(found.next).tzinfo == UTC
    assert cloud.queue.find(replace(task, sweep=1)) is None


def test_a_queue_lists_its_tasks(cloud: Cloud, task: Task) -> None:
    others = [replace(task, sweep=number) for number in (1, 2)]
    for one in (task, *others):
        cloud.queue.add(one)
    found = {one.name: (one, queued) for one, queued in cloud.queue.tasks(task.place.queue)}

    assert [found[one.name][0] for one in (task, *others)] == [task, *others]
    assert datetime.fromisoformat(found[task.name][1].next).tzinfo == UTC


def test_a_task_is_deleted_once(cloud: Cloud, task: Task) -> None:
    cloud.queue.add(task)

    assert [cloud.queue.delete(task) for _ in range(2)] == [True, False]
    assert cloud.queue.find(task) is None
    assert task not in [found for found, _ in cloud.queue.tasks(task.place.queue)]


def test_the_name_of_a_deleted_task_stays_taken(cloud: Cloud, task: Task) -> None:
    cloud.queue.add(task)
    cloud.queue.delete(task)

    assert cloud.queue.add(task) is False


def test_a_queue_is_paused_and_resumed(cloud: Cloud, task: Task) -> None:
    queue = task.place.queue
    states = []
    for change in (cloud.queue.pause, cloud.queue.pause, cloud.queue.resume, cloud.queue.resume):
        change(queue)
        states.append(cloud.queue.state(queue).is_paused)

    assert states == [True, True, False, False]


def test_a_paused_queue_counts_its_tasks(cloud: Cloud, task: Task) -> None:
    queue = task.place.queue
    cloud.queue.pause(queue)
    before = cloud.queue.state(queue).depth
    cloud.queue.add(task)
    state = cloud.queue.state(queue)
    cloud.queue.resume(queue)

    assert (state.queue, state.depth - before, state.running) == (queue, 1, 0)
    assert datetime.fromisoformat(state.oldest).tzinfo == UTC
    assert state.rate > 0


def test_the_list_of_a_queue_leaves_out_the_tasks_of_others(machine: Machine, real: Cloud) -> None:
    task = _new(real)
    queue = _queue(real, task)
    real.queue.pause(task.place.queue)
    _call(machine, f"{queue}/tasks", {"task": {"httpRequest": {"url": "http://127.0.0.1:9/", "body": "e30="}}})
    real.queue.add(task)
    found = [one for one, _ in real.queue.tasks(task.place.queue)]
    real.queue.resume(task.place.queue)

    assert task in found


def test_a_list_of_several_pages_is_whole(monkeypatch: pytest.MonkeyPatch, real: Cloud) -> None:
    monkeypatch.setattr(tasks, "PAGE_TASKS", 2)
    wanted = [_new(real) for _ in range(5)]
    queue = wanted[0].place.queue
    real.queue.pause(queue)
    for task in wanted:
        real.queue.add(task)
    found = [task for task, _ in real.queue.tasks(queue)]
    real.queue.resume(queue)

    assert [task for task in found if task in wanted] == wanted


@pytest.mark.failure("T14")
def test_a_queue_that_is_not_there_may_be_waking_up(real: Cloud) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        real.queue.add(_in_queue(_new(real), "nowhere"))


def test_a_right_that_has_not_spread_yet_may_come(machine: Machine, real: Cloud) -> None:
    task = _new(real)
    machine.fault("answer", "tasks", "--status", "403", "--match", "POST .*tasks")

    with pytest.raises(Unavailable, match=task.place.queue):
        real.queue.add(task)
    assert real.queue.add(task)


def test_a_task_is_posted_to_the_processor_as_json_by_its_caller(machine: Machine, real: Cloud) -> None:
    task = _new(real)
    request = _as_queued(machine, real, task)
    url = real.settings.processor_url("default")
    caller = {"serviceAccountEmail": real.settings.tasks_account, "audience": url}
    headers = {name.lower(): value for name, value in request["headers"].items()}

    assert (request["httpMethod"], request["url"]) == ("POST", url)
    assert headers["content-type"] == "application/json"
    assert base64.b64decode(request["body"]) == canonical(task.to_json())
    assert request["oidcToken"] == caller


def test_a_task_is_sent_to_the_pool_of_its_queue_and_may_take_as_long(machine: Machine, real: Cloud, tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(POOLS + PIPELINE.read_text().replace("[queues.digests]", '[queues.digests]\npool = "slow"'))
    urls = {"default": "https://default.test", "slow": "https://slow.test"}
    cloud = GoogleCloud(replace(real.settings, pipeline=pipeline, processor_urls=urls))
    held = _held(machine, cloud, _new(cloud))

    assert held["httpRequest"]["url"] == held["httpRequest"]["oidcToken"]["audience"] == "https://slow.test"
    assert held["dispatchDeadline"] == "930s"


def test_with_queue_auth_queue_no_task_names_the_account(machine: Machine, real: Cloud) -> None:
    cloud = GoogleCloud(replace(real.settings, queue_auth="queue"))

    assert "oidcToken" not in _as_queued(machine, cloud, _new(real))


def test_a_queue_is_found_by_its_prefix_in_its_location(machine: Machine, real: Cloud) -> None:
    cloud = GoogleCloud(replace(real.settings, location="europe-west1", queue_prefix="mine-"))
    task = _in_queue(_new(real), f"q{uuid.uuid4().hex}")
    queue = f"projects/{PROJECT}/locations/europe-west1/queues/mine-{task.place.queue}"
    _call(machine, f"{queue.rpartition('/')[0]}", {"name": queue})

    assert base64.b64decode(_as_queued(machine, cloud, task)["body"]) == canonical(task.to_json())


def test_the_queues_of_a_deployment_are_listed_without_its_prefix(machine: Machine, real: Cloud) -> None:
    cloud = GoogleCloud(replace(real.settings, location="europe-west4", queue_prefix="mine-"))
    for name in ("mine-b", "mine-a", "another"):
        queues = f"projects/{PROJECT}/locations/europe-west4/queues"
        _call(machine, queues, {"name": f"{queues}/{name}"})

    assert list(cloud.queue.names()) == ["a", "b"]


def test_a_task_that_waits_has_no_delivery_yet(machine: Machine, real: Cloud) -> None:
    task = _new(real)
    _call(machine, f"{_queue(real, task)}:pause", {})
    real.queue.add(task)
    found = real.queue.find(task)
    _call(machine, f"{_queue(real, task)}:resume", {})

    assert found is not None
    assert found == Queued(0, False, found.next)


def test_a_delivery_under_way_is_seen(real: Cloud, target: Target) -> None:
    cloud = GoogleCloud(replace(real.settings, processor_urls={"default": target.url}))
    task = _new(real)
    target.gate.clear()
    cloud.queue.add(task)

    assert eventually(lambda: (found := real.queue.find(task)) and found.deliveries == 1 and found.is_running)
    target.gate.set()
    assert eventually(lambda: real.queue.find(task) is None)


def test_a_delivery_without_an_answer_has_ended_all_the_same(real: Cloud) -> None:
    task = _new(real)  # its processor has no address
    real.queue.add(task)

    assert eventually(lambda: (found := real.queue.find(task)) and found.deliveries and not found.is_running)
    assert eventually(lambda: (found := real.queue.find(task)) and found.answer) == "UNAVAILABLE"


def test_a_task_in_a_queue_that_is_gone_is_not_found(real: Cloud) -> None:
    assert real.queue.find(_in_queue(_new(real), "nowhere")) is None


def test_a_queue_that_does_not_answer_is_no_missing_task(machine: Machine, real: Cloud) -> None:
    task = _new(real)
    machine.fault("answer", "tasks", "--status", "403", "--match", "GET .*tasks")

    with pytest.raises(Unavailable, match=task.place.queue):
        real.queue.find(task)


def _new(cloud: Cloud) -> Task:
    """The first task of a file of its own."""
    file = File("uploads", "cat.jpg", time.time_ns() // 1000, 9, "image/jpeg", "AAAAAA==", {"who": "Käthe"})
    plan = cloud.routes.plan(file)
    return Task(Run(file), plan, plan.first[0])


def _in_queue(task: Task, queue: str) -> Task:
    """The same task in another queue."""
    steps = tuple(PlannedStep(step.recipe, queue, step.attempts) for step in task.steps)
    return Task(task.run, Plan(steps), Place(0, queue))


def _queue(cloud: Cloud, task: Task) -> str:
    settings = cloud.settings
    return f"projects/{PROJECT}/locations/{settings.location}/queues/{settings.queue_prefix}{task.place.queue}"


def _as_queued(machine: Machine, cloud: Cloud, task: Task) -> Any:
    """The request that a queue is asked to make for a task."""
    return _held(machine, cloud, task)["httpRequest"]


def _held(machine: Machine, cloud: Cloud, task: Task) -> Any:
    """A new task as its queue has it."""
    queue = _queue(cloud, task)
    _call(machine, f"{queue}:pause", {})
    assert cloud.queue.add(task)
    held = _call(machine, f"{queue}/tasks/{task.name}?responseView=FULL")
    _call(machine, f"{queue}:resume", {})
    return held


def _call(machine: Machine, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask Cloud Tasks, beside the adapter."""
    url = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"] + "v2/" + path
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"content-type": "application/json"}), timeout=60) as answer:
        return json.load(answer)


def test_notices_arrive_as_they_were_made(machine: Machine, real: Cloud) -> None:
    file = File("uploads", "ünï 🐈.jpg", time.time_ns() // 1000, 9, "image/jpeg", "AAAAAA==")
    planned = real.routes.plan(file)
    task = Task(Run(file), planned, planned.first[0])
    results = [Result(step.name, step.recipe.recipe_id, "failed", "corrupt", "words") for step in task.steps]
    failed = manifest.of_task(task, results, "2026-01-15T10:00:00.000Z")
    notices = [*events.step_notices(failed), events.job_notice(Job([failed]))]
    real.completions.publish(*notices)
    received = _pulled(machine, "completions", notices)

    assert [(message.data, dict(message.attributes)) for message in received] == [
        (notice.data, dict(notice.attributes)) for notice in notices
    ]
    assert [json.loads(notice.data)["verdict"] for notice in notices] == ["failed", "failed"]


def test_a_dead_letter_is_not_a_notice(machine: Machine, real: Cloud) -> None:
    letter = events.Notice(b"who can read this?", {"ce-id": uuid.uuid4().hex})
    real.dead_letters.publish(letter)

    assert [message.data for message in _pulled(machine, "dead-letters", [letter])] == [letter.data]


@pytest.mark.parametrize(("number", "size_bytes"), [(1_001, 10), (3, 4_000_000)], ids=["many", "large"])
def test_notices_above_the_limits_of_a_request_all_arrive(machine: Machine, real: Cloud, number: int, size_bytes: int) -> None:
    notices = [events.Notice(b"x" * size_bytes, {"ce-id": uuid.uuid4().hex}) for _ in range(number)]

    real.completions.publish(*notices)

    assert len(_pulled(machine, "completions", notices)) == number


def _pulled(machine: Machine, subscription: str, notices: Sequence[events.Notice]) -> list[Any]:
    """The messages of these notices, once all have arrived; others are skipped."""
    with variables(machine.environment):
        subscriber = SubscriberClient()
    path = f"projects/{PROJECT}/subscriptions/{subscription}"
    wanted = [notice.attributes["ce-id"] for notice in notices]
    arrived: dict[str, Any] = {}

    def look() -> list[Any]:
        pulled = subscriber.pull(subscription=path, max_messages=10, timeout=60).received_messages
        subscriber.acknowledge(subscription=path, ack_ids=[message.ack_id for message in pulled]) if pulled else None
        arrived.update({message.message.attributes.get("ce-id"): message.message for message in pulled})
        return [arrived[id_] for id_ in wanted] if arrived.keys() >= set(wanted) else []

    try:
        return eventually(look)
    finally:
        subscriber.close()


def test_a_notice_to_a_topic_that_is_gone_is_not_lost_silently(real: Cloud) -> None:
    with pytest.raises(Unavailable):
        GoogleCloud(replace(real.settings, completions_topic="nowhere")).completions.publish(events.Notice(b"x", {}))
