"""What the pipeline relies on in a queue and in a topic."""

import json
import time
import urllib.request
from dataclasses import replace
from typing import Any

import pytest
from google.cloud.pubsub_v1 import SubscriberClient

from local.address import LOCATION, PROJECT
from shared import events, ledger
from shared.cloud import GoogleCloud
from shared.cloud.protocols import Cloud
from shared.errors import Unavailable
from shared.model import File, Job, Task
from tests.machine import Machine, eventually, variables


@pytest.fixture
def task(cloud: Cloud) -> Task:
    file = File("uploads", "cat.jpg", time.time_ns(), 9, "image/jpeg", "AAAAAA==")
    return cloud.routes.plan(file)[0]


def test_a_task_is_queued_once_under_its_name(cloud: Cloud, task: Task) -> None:
    assert [cloud.queue.add(task) for _ in range(3)] == [True, False, False]


def test_a_redrive_is_another_task(cloud: Cloud, task: Task) -> None:
    assert [cloud.queue.add(task), cloud.queue.add(replace(task, redrive=1))] == [True, True]


def test_a_queue_that_is_not_there_may_be_waking_up(real: Cloud) -> None:
    file = File("uploads", "cat.jpg", time.time_ns(), 9, "image/jpeg", "AAAAAA==")

    with pytest.raises(Unavailable, match="nowhere"):
        real.queue.add(replace(real.routes.plan(file)[0], queue="nowhere"))


def test_a_right_that_has_not_spread_yet_may_come(machine: Machine, real: Cloud, task: Task) -> None:
    machine.fault("answer", "tasks", "--status", "403", "--match", "POST .*tasks")

    with pytest.raises(Unavailable, match=task.queue):
        real.queue.add(replace(task, redrive=8))
    assert real.queue.add(replace(task, redrive=8))


@pytest.mark.parametrize(("names_it", "has_token"), [("task", True), ("queue", False)])
def test_a_task_names_its_callers_account_unless_the_queue_does(
    machine: Machine, real: Cloud, task: Task, names_it: str, has_token: bool
) -> None:
    cloud = GoogleCloud(replace(real.settings, queue_auth=names_it))
    task = replace(task, redrive=7)
    host = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"]
    queue = f"{host}v2/projects/{PROJECT}/locations/{LOCATION}/queues/{task.queue}"
    _post(f"{queue}:pause")
    cloud.queue.add(task)
    with urllib.request.urlopen(f"{queue}/tasks/{task.queue_name}?responseView=FULL") as answer:
        request = json.load(answer)["httpRequest"]
    _post(f"{queue}:resume")

    assert request["url"] == real.settings.processor_url
    assert ("oidcToken" in request) is has_token


def _post(url: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", {"content-type": "application/json"})):
        pass


def test_notices_arrive_as_they_were_made(machine: Machine, real: Cloud) -> None:
    file = File("uploads", "ünï 🐈.jpg", time.time_ns(), 9, "image/jpeg", "AAAAAA==")
    manifest = ledger.manifest(file, real.routes.plan(file)[0], "failed", "corrupt", "words")
    notices = [events.step_notice(manifest), events.job_notice(Job(file, (manifest,)))]
    real.completions.publish(*notices)
    with variables(machine.environment):
        subscriber = SubscriberClient()
    path = "projects/local-project/subscriptions/completions"
    arrived: dict[str, Any] = {}

    def look() -> list[Any]:
        pulled = subscriber.pull(subscription=path, max_messages=10).received_messages
        subscriber.acknowledge(subscription=path, ack_ids=[message.ack_id for message in pulled]) if pulled else None
        arrived.update({message.message.attributes.get("ce-id"): message.message for message in pulled})
        return [arrived[notice.attributes["ce-id"]] for notice in notices if notice.attributes["ce-id"] in arrived]

    received = eventually(lambda: found if len(found := look()) == len(notices) else None)
    subscriber.close()

    assert [(message.data, dict(message.attributes)) for message in received] == [
        (notice.data, dict(notice.attributes)) for notice in notices
    ]
    assert [json.loads(notice.data)["verdict"] for notice in notices] == ["failed", "failed"]


def test_a_notice_to_a_topic_that_is_gone_is_not_lost_silently(real: Cloud) -> None:
    from shared.cloud.pubsub import PubSubTopic

    with pytest.raises(Unavailable):
        PubSubTopic("local-project", "nowhere").publish(events.Notice(b"x", {}))
