"""Topics, subscriptions, policies and limits, with google-cloud-pubsub."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage, Subscription

from tests.localcloud.pubsub.world import PROJECT, World


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({}, "non-empty data"),
        ({"attributes": {"k" * 257: "v"}}, "attribute key"),
        ({"attributes": {"k": "v" * 1025}}, "value of attribute"),
        ({"attributes": {f"k{number}": "v" for number in range(101)}}, "more than 100"),
        ({"attributes": {"google": "v"}}, "reserved"),
        ({"data": b"x" * 10_000_001}, "exceeds the limit"),
    ],
)
def test_a_message_over_a_limit_is_refused(world: World, message: dict[str, Any], reason: str) -> None:
    topic = world.topic("orders")

    with pytest.raises(exceptions.InvalidArgument, match=reason):
        PublisherApi.publish(world.publisher, topic=topic, messages=[PubsubMessage(message)])


def test_taken_and_missing_names_are_refused(world: World) -> None:
    topic = world.topic("orders")
    world.subscription("orders-sub", topic)

    with pytest.raises(exceptions.AlreadyExists, match="resource=orders"):
        world.topic("orders")
    with pytest.raises(exceptions.AlreadyExists):
        world.subscription("orders-sub", topic)
    with pytest.raises(exceptions.NotFound, match="resource=nowhere"):
        world.publish(f"{PROJECT}/topics/nowhere", b"x")
    with pytest.raises(exceptions.NotFound):
        world.subscription("second", f"{PROJECT}/topics/nowhere")
    with pytest.raises(exceptions.InvalidArgument, match="Invalid \\[topics\\] name"):
        world.topic("x")


def test_lists_are_paged(world: World) -> None:
    topic = world.topic("orders")
    names = sorted(world.subscription(f"sub-{number}", topic) for number in range(5))

    listed = world.subscriber.list_subscriptions(request={"project": PROJECT, "page_size": 2})
    assert [found.name for found in listed] == names
    assert list(world.publisher.list_topic_subscriptions(request={"topic": topic, "page_size": 2})) == names
    assert [found.name for found in world.publisher.list_topics(project=PROJECT)] == [topic]


def test_an_update_changes_only_masked_fields(world: World) -> None:
    subscription = world.subscription("changing", world.topic("orders"), labels={"a": "b"})
    change = {"name": subscription, "ack_deadline_seconds": 77, "labels": {"c": "d"}}
    mask = {"paths": ["ack_deadline_seconds"]}
    world.subscriber.update_subscription(request={"subscription": change, "update_mask": mask})

    found = world.subscriber.get_subscription(subscription=subscription)
    assert (found.ack_deadline_seconds, dict(found.labels)) == (77, {"a": "b"})
    with pytest.raises(exceptions.InvalidArgument, match="filter"):
        world.subscriber.update_subscription(request={"subscription": change, "update_mask": {"paths": ["filter"]}})


def test_a_mask_of_inner_fields_resets_those_that_the_request_lacks(world: World) -> None:
    """Google's sample removes a dead-letter policy by naming both of its fields."""
    topic, dead = world.topic("orders"), world.topic("dead-letters")
    policies: dict[str, Any] = {
        "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 7},
        "retry_policy": {"minimum_backoff": {"seconds": 20}, "maximum_backoff": {"seconds": 30}},
    }
    subscription = world.subscription("changing", topic, **policies)
    pushed = world.subscription("pushed", topic, push_config={"push_endpoint": "http://127.0.0.1:9/"})

    def update(name: str, *paths: str) -> Subscription:
        request = {"subscription": {"name": name}, "update_mask": {"paths": paths}}
        changed: Subscription = world.subscriber.update_subscription(request=request)
        return changed

    attempts = update(subscription, "dead_letter_policy.max_delivery_attempts").dead_letter_policy
    retries = update(subscription, "retry_policy.minimum_backoff").retry_policy
    removed = update(subscription, "dead_letter_policy.dead_letter_topic", "dead_letter_policy.max_delivery_attempts")
    pulled = update(pushed, "push_config.push_endpoint")

    assert (attempts.dead_letter_topic, attempts.max_delivery_attempts) == (dead, 5)
    assert (retries.minimum_backoff.seconds, retries.maximum_backoff.seconds) == (10, 30)
    assert (removed.dead_letter_policy.dead_letter_topic, pulled.push_config.push_endpoint) == ("", "")


def test_a_dead_letter_topic_must_exist_when_it_is_set(world: World) -> None:
    topic, dead = world.topic("orders"), world.topic("dead-letters")
    policy = {"dead_letter_topic": f"{PROJECT}/topics/nowhere"}
    with pytest.raises(exceptions.NotFound, match="resource=nowhere"):
        world.subscription("sub", topic, dead_letter_policy=policy)
    subscription = world.subscription("sub", topic, dead_letter_policy={"dead_letter_topic": dead})
    change = {"name": subscription, "dead_letter_policy": policy, "labels": {"a": "b"}}

    with pytest.raises(exceptions.NotFound, match="resource=nowhere"):
        world.subscriber.update_subscription(request={"subscription": change, "update_mask": {"paths": ["dead_letter_policy"]}})
    world.publisher.delete_topic(topic=dead)
    world.subscriber.update_subscription(request={"subscription": change, "update_mask": {"paths": ["labels"]}})
    assert world.subscriber.get_subscription(subscription=subscription).dead_letter_policy.dead_letter_topic == dead


def test_invalid_labels_are_refused(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("sub", topic)
    wrong, mask = {"Capital": "b"}, {"paths": ["labels"]}
    snapshot = f"{PROJECT}/snapshots/snap"

    with pytest.raises(exceptions.InvalidArgument, match="'Capital'"):
        world.publisher.create_topic(request={"name": f"{PROJECT}/topics/other", "labels": wrong})
    with pytest.raises(exceptions.InvalidArgument, match="'Capital'"):
        world.publisher.update_topic(request={"topic": {"name": topic, "labels": wrong}, "update_mask": mask})
    with pytest.raises(exceptions.InvalidArgument, match="'Capital'"):
        world.subscription("other", topic, labels=wrong)
    changed = {"name": subscription, "labels": wrong}
    with pytest.raises(exceptions.InvalidArgument, match="'Capital'"):
        world.subscriber.update_subscription(request={"subscription": changed, "update_mask": mask})
    with pytest.raises(exceptions.InvalidArgument, match="'Capital'"):
        world.subscriber.create_snapshot(request={"name": snapshot, "subscription": subscription, "labels": wrong})


def test_iam_policies_are_stored(world: World) -> None:
    topic = world.topic("orders")
    policy = world.publisher.get_iam_policy(request={"resource": topic})
    policy.bindings.add(role="roles/pubsub.publisher", members=["user:a@example.com"])
    world.publisher.set_iam_policy(request={"resource": topic, "policy": policy})

    assert world.publisher.get_iam_policy(request={"resource": topic}).bindings == policy.bindings
    with pytest.raises(exceptions.Aborted):
        world.publisher.set_iam_policy(request={"resource": topic, "policy": policy})


def test_bindings_of_one_role_are_merged(world: World) -> None:
    topic = world.topic("orders")
    bindings = [{"role": "roles/viewer", "members": members} for members in (["user:a@b.c"], ["user:d@b.c", "user:a@b.c"])]
    world.publisher.set_iam_policy(request={"resource": topic, "policy": {"bindings": bindings}})

    (kept,) = world.publisher.get_iam_policy(request={"resource": topic}).bindings
    assert (kept.role, list(kept.members)) == ("roles/viewer", ["user:a@b.c", "user:d@b.c"])


def test_a_refusal_names_the_unsupported_field(world: World) -> None:
    topic = world.topic("orders")

    with pytest.raises(exceptions.MethodNotImplemented, match=r"Subscription\.bigquery_config"):
        world.subscription("warehouse", topic, bigquery_config={"table": "p.d.t"})
