"""Pub/Sub with the real gcloud."""

import json
import subprocess
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from tests.localcloud.pubsub.world import World
from tests.localcloud.target import Target

Gcloud = Callable[..., Any]


@pytest.fixture
def gcloud(world: World, gcloud_environment: dict[str, str]) -> Gcloud:
    """`gcloud pubsub …` against the local service: its JSON output, or RuntimeError with its error output."""
    environment = gcloud_environment | {"CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://127.0.0.1:{world.port}/"}

    def run(*arguments: str) -> Any:
        done = subprocess.run(
            ["gcloud", "pubsub", *arguments, "--format=json"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout or "null")

    return run


def test_gcloud_publishes_and_pulls(gcloud: Gcloud, world: World) -> None:
    gcloud("topics", "create", "orders")
    gcloud("subscriptions", "create", "orders-sub", "--topic=orders", "--message-filter=attributes:kind")
    gcloud("topics", "publish", "orders", "--message=hidden")
    [id_] = gcloud("topics", "publish", "orders", "--message=hello", "--attribute=kind=a")["messageIds"]

    [received] = gcloud("subscriptions", "pull", "orders-sub", "--auto-ack")
    message = received["message"]
    assert (message["messageId"], b64decode(message["data"]), message["attributes"]) == (id_, b"hello", {"kind": "a"})
    assert world.pull("projects/local-project/subscriptions/orders-sub", now=True) == []


def test_gcloud_manages_a_push_subscription(gcloud: Gcloud, world: World, endpoint: Target) -> None:
    dead = world.topic("dead-letters")
    world.topic("uploads")
    gcloud(
        *("subscriptions", "create", "dispatcher", "--topic=uploads", f"--push-endpoint={endpoint.url}/"),
        *("--dead-letter-topic=dead-letters", "--max-delivery-attempts=7", "--min-retry-delay=1s"),
        "--push-auth-service-account=push@local-project.iam.gserviceaccount.com",
    )
    gcloud("subscriptions", "update", "dispatcher", "--ack-deadline=60", "--update-labels=a=b")

    described = gcloud("subscriptions", "describe", "dispatcher")
    assert described["deadLetterPolicy"] == {"deadLetterTopic": dead, "maxDeliveryAttempts": 7}
    assert described["retryPolicy"] == {"minimumBackoff": "1s", "maximumBackoff": "600s"}
    assert (described["ackDeadlineSeconds"], described["labels"]) == (60, {"a": "b"})
    world.publish("projects/local-project/topics/uploads", b"x")
    assert endpoint.wait_for(1)[0].headers["authorization"].startswith("Bearer ")
    gcloud("subscriptions", "modify-push-config", "dispatcher", "--push-endpoint=")
    assert gcloud("subscriptions", "describe", "dispatcher")["pushConfig"] == {}


def test_gcloud_lists_and_deletes(gcloud: Gcloud, world: World) -> None:
    world.subscription("orders-sub", world.topic("orders"))

    assert [topic["name"] for topic in gcloud("topics", "list")] == ["projects/local-project/topics/orders"]
    assert gcloud("topics", "list-subscriptions", "orders") == ["projects/local-project/subscriptions/orders-sub"]
    gcloud("topics", "delete", "orders")
    assert gcloud("subscriptions", "list")[0]["topic"] == "_deleted-topic_"
    gcloud("subscriptions", "delete", "orders-sub")
    assert gcloud("subscriptions", "list") == []


def test_gcloud_binds_members_to_roles(gcloud: Gcloud, world: World) -> None:
    world.topic("orders")
    gcloud("topics", "add-iam-policy-binding", "orders", "--member=user:a@example.com", "--role=roles/pubsub.viewer")

    binding = {"members": ["user:a@example.com"], "role": "roles/pubsub.viewer"}
    assert gcloud("topics", "get-iam-policy", "orders")["bindings"] == [binding]


def test_gcloud_manages_snapshots_and_seeks(gcloud: Gcloud, world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("seeking", topic)
    gcloud("subscriptions", "update", "seeking", "--retain-acked-messages", "--message-retention-duration=1d")
    world.publish(topic, b"x")
    gcloud("snapshots", "create", "snap", "--subscription=seeking")
    world.ack(subscription, world.pull(subscription))
    gcloud("subscriptions", "seek", "seeking", "--snapshot=snap")
    world.ack(subscription, world.pull_all(subscription, 1))
    gcloud("subscriptions", "seek", "seeking", "--time=2020-01-01T00:00:00Z")
    world.ack(subscription, world.pull_all(subscription, 1))

    described = gcloud("snapshots", "describe", "snap")
    assert (described["name"], described["topic"]) == ("projects/local-project/snapshots/snap", topic)
    assert [found["name"] for found in gcloud("snapshots", "list")] == [described["name"]]
    gcloud("snapshots", "delete", "snap")
    gcloud("topics", "detach-subscription", "seeking")
    assert gcloud("subscriptions", "describe", "seeking")["detached"]


def test_gcloud_reports_missing_resources_at_once(gcloud: Gcloud) -> None:
    with pytest.raises(RuntimeError, match=r"NOT_FOUND: Resource not found \(resource=nowhere\)"):
        gcloud("topics", "describe", "nowhere")
    with pytest.raises(RuntimeError, match="does not support GET /v1/projects/local-project/schemas/nowhere"):
        gcloud("schemas", "describe", "nowhere")
