"""The properties of a queue and of a topic that the pipeline relies on."""

import base64
import json
import time
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from google.cloud.pubsub_v1 import SubscriberClient

from localcloud.address import PROJECT
from shared import events, ledger
from shared.cloud import GoogleCloud
from shared.cloud.protocols import Cloud
from shared.errors import Unavailable
from shared.model import File, Job, Task, canonical
from tests.eventually import eventually
from tests.machine import Machine, variables


@pytest.fixture
def task(cloud: Cloud) -> Task:
    return _new(cloud)


def test_a_task_is_queued_once_under_its_name(cloud: Cloud, task: Task) -> None:
    assert [cloud.queue.add(task) for _ in range(3)] == [True, False, False]


def test_a_redrive_is_another_task(cloud: Cloud, task: Task) -> None:
    assert [cloud.queue.add(task), cloud.queue.add(replace(task, redrive=1))] == [True, True]


def test_a_queue_that_is_not_there_may_be_waking_up(real: Cloud) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        real.queue.add(replace(_new(real), queue="nowhere"))


def test_a_right_that_has_not_spread_yet_may_come(machine: Machine, real: Cloud) -> None:
    task = _new(real)
    machine.fault("answer", "tasks", "--status", "403", "--match", "POST .*tasks")

    with pytest.raises(Unavailable, match=task.queue):
        real.queue.add(task)
    assert real.queue.add(task)


def test_a_task_is_posted_to_the_processor_as_json_by_its_caller(machine: Machine, real: Cloud) -> None:
    task = _new(real)
    request = _as_queued(machine, real, task)
    caller = {"serviceAccountEmail": real.settings.tasks_account, "audience": real.settings.processor_url}
    headers = {name.lower(): value for name, value in request["headers"].items()}

    assert (request["httpMethod"], request["url"]) == ("POST", real.settings.processor_url)
    assert headers["content-type"] == "application/json"
    assert base64.b64decode(request["body"]) == canonical(task.to_json())
    assert request["oidcToken"] == caller


def test_with_queue_auth_queue_no_task_names_the_account(machine: Machine, real: Cloud) -> None:
    cloud = GoogleCloud(replace(real.settings, queue_auth="queue"))

    assert "oidcToken" not in _as_queued(machine, cloud, _new(real))


def test_a_queue_is_found_by_its_prefix_in_its_location(machine: Machine, real: Cloud) -> None:
    cloud = GoogleCloud(replace(real.settings, location="europe-west1", queue_prefix="mine-"))
    task = replace(_new(real), queue=f"q{uuid.uuid4().hex}")
    queue = f"projects/{PROJECT}/locations/europe-west1/queues/mine-{task.queue}"
    _call(machine, f"{queue.rpartition('/')[0]}", {"name": queue})

    assert base64.b64decode(_as_queued(machine, cloud, task)["body"]) == canonical(task.to_json())


def _new(cloud: Cloud) -> Task:
    """A task of a file of its own."""
    file = File("uploads", "cat.jpg", time.time_ns(), 9, "image/jpeg", "AAAAAA==")
    return cloud.routes.plan(file)[0]


def _as_queued(machine: Machine, cloud: Cloud, task: Task) -> Any:
    """The request that a queue is asked to make for a task."""
    place = cloud.settings
    queue = f"projects/{PROJECT}/locations/{place.location}/queues/{place.queue_prefix}{task.queue}"
    _call(machine, f"{queue}:pause", {})
    assert cloud.queue.add(task)
    held = _call(machine, f"{queue}/tasks/{task.queue_name}?responseView=FULL")
    _call(machine, f"{queue}:resume", {})
    return held["httpRequest"]


def _call(machine: Machine, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask Cloud Tasks, beside the adapter."""
    url = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"] + "v2/" + path
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"content-type": "application/json"}), timeout=10) as answer:
        return json.load(answer)


def test_notices_arrive_as_they_were_made(machine: Machine, real: Cloud) -> None:
    file = File("uploads", "ünï 🐈.jpg", time.time_ns(), 9, "image/jpeg", "AAAAAA==")
    manifest = ledger.manifest(file, real.routes.plan(file)[0], "failed", "corrupt", "words")
    notices = [events.step_notice(manifest), events.job_notice(Job(file, (manifest,)))]
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


def _pulled(machine: Machine, subscription: str, notices: Sequence[events.Notice]) -> list[Any]:
    """The messages of these notices, once all have arrived; others are skipped."""
    with variables(machine.environment):
        subscriber = SubscriberClient()
    path = f"projects/{PROJECT}/subscriptions/{subscription}"
    wanted = [notice.attributes["ce-id"] for notice in notices]
    arrived: dict[str, Any] = {}

    def look() -> list[Any]:
        pulled = subscriber.pull(subscription=path, max_messages=10, timeout=10).received_messages
        subscriber.acknowledge(subscription=path, ack_ids=[message.ack_id for message in pulled]) if pulled else None
        arrived.update({message.message.attributes.get("ce-id"): message.message for message in pulled})
        return [arrived[id_] for id_ in wanted] if arrived.keys() >= set(wanted) else []

    try:
        return eventually(look)
    finally:
        subscriber.close()


def test_a_notice_to_a_topic_that_is_gone_is_not_lost_silently(real: Cloud) -> None:
    from shared.cloud.pubsub import PubSubTopic

    with pytest.raises(Unavailable):
        PubSubTopic("local-project", "nowhere").publish(events.Notice(b"x", {}))
