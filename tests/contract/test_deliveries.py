"""The tasks of the notifier are queued once under their names, by the fake and by the real adapter."""

import base64
import json
import urllib.request
from dataclasses import replace

import pytest

from shared import routes as routing
from shared import settings as configuration
from shared.cloud.protocols import Cloud
from shared.cloud.tasks import CloudTasks
from shared.errors import BadConfiguration
from shared.routes.webhooks import QUEUE_PREFIX
from shared.webhooks.deliveries import Delivery
from tests.conftest import ENVIRONMENT, PIPELINE
from tests.localcloud.target import Target
from tests.machine import Machine

DELIVERY = Delivery("orders", "job", "file-1700000000000001-r1", ("jobs/file/1700000000000001/1/job.json",), 1_795_852_017)


@pytest.fixture
def queues(cloud: Cloud, machine: Machine, request: pytest.FixtureRequest) -> Cloud:
    """A cloud whose queue of this webhook is paused."""
    if "real" in request.node.callspec.id:
        place = f"projects/{cloud.settings.project}/locations/{cloud.settings.location}/queues/{QUEUE_PREFIX}orders"
        endpoint = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"]
        patch = urllib.request.Request(f"{endpoint}v2/{place}", json.dumps({"name": place}).encode(), method="PATCH")
        patch.add_header("content-type", "application/json")
        urllib.request.urlopen(patch).close()
    cloud.queue.pause(DELIVERY.queue)
    return cloud


def test_a_delivery_is_queued_once_under_the_id_of_its_event(queues: Cloud) -> None:
    before = queues.queue.state("webhook-orders").depth

    assert queues.queue.find(DELIVERY) is None
    assert [queues.queue.add(DELIVERY) for _ in range(2)] == [True, False]
    assert queues.queue.find(DELIVERY) is not None
    assert queues.queue.find(replace(DELIVERY, event="file-1700000000000001")) is None
    state = queues.queue.state("webhook-orders")
    assert (state.is_paused, state.depth - before) == (True, 1)


@pytest.mark.parametrize("queue_auth", ["task", "queue"])
def test_a_delivery_is_for_the_notifier(target: Target, queue_auth: str) -> None:
    settings = replace(
        configuration.load(ENVIRONMENT), tasks_endpoint=target.url, queue_auth=queue_auth, queue_prefix="sluice-"
    )
    target.body = b"{}"
    CloudTasks(settings, routing.load(PIPELINE)).add(DELIVERY)

    (sent,) = target.received
    task = json.loads(sent.body)["task"]
    assert sent.path.partition("?")[0].endswith("/queues/sluice-webhook-orders/tasks")
    assert task["name"].endswith("/queues/sluice-webhook-orders/tasks/file-1700000000000001-r1")
    assert task["dispatchDeadline"] == "60s"
    asked = task["httpRequest"]
    assert asked["url"] == "https://notifier.test/deliveries"
    assert json.loads(base64.b64decode(asked["body"])) == {
        "webhook": "orders",
        "kind": "job",
        "event": "file-1700000000000001-r1",
        "manifests": ["jobs/file/1700000000000001/1/job.json"],
        "since": 1_795_852_017,
    }
    token = {"serviceAccountEmail": "tasks@local-project.iam.gserviceaccount.com", "audience": "https://notifier.test"}
    assert asked.get("oidcToken") == (token if queue_auth == "task" else None)


def test_a_service_that_queues_deliveries_needs_the_notifiers_url(target: Target) -> None:
    settings = replace(configuration.load(ENVIRONMENT), tasks_endpoint=target.url, notifier_url="")

    with pytest.raises(BadConfiguration, match="set SLUICE_NOTIFIER_URL"):
        CloudTasks(settings, routing.load(PIPELINE)).add(DELIVERY)
