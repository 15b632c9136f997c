"""Topics, subscriptions and their policies: checks and defaults."""

from typing import Any

import pytest
from google.api_core import exceptions

from tests.localcloud.pubsub.world import PROJECT, Clients


@pytest.mark.parametrize("id_", ["ab", "1abc", "google", "has space", "x" * 256])
def test_an_invalid_name_is_refused(clients: Clients, id_: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        clients.topic(id_)


def test_a_taken_name_is_refused(clients: Clients) -> None:
    topic = clients.topic("orders")
    clients.subscription("orders-sub", topic)

    with pytest.raises(exceptions.AlreadyExists):
        clients.topic("orders")
    with pytest.raises(exceptions.AlreadyExists):
        clients.subscription("orders-sub", topic)


def test_a_missing_resource_is_not_found(clients: Clients) -> None:
    topic, subscription = f"{PROJECT}/topics/nowhere", f"{PROJECT}/subscriptions/nowhere"

    for call in (
        lambda: clients.publisher.get_topic(topic=topic),
        lambda: clients.publisher.delete_topic(topic=topic),
        lambda: clients.publish(topic, b"x"),
        lambda: clients.subscription("orphan", topic),
        lambda: clients.subscriber.get_subscription(subscription=subscription),
        lambda: clients.subscriber.delete_subscription(subscription=subscription),
        lambda: clients.subscriber.acknowledge(subscription=subscription, ack_ids=["x"]),
        lambda: clients.subscriber.modify_push_config(subscription=subscription, push_config={}),
    ):
        with pytest.raises(exceptions.NotFound):
            call()


def test_a_subscription_shows_its_settings_and_the_defaults(clients: Clients) -> None:
    topic = clients.topic("orders")
    given: dict[str, Any] = {"labels": {"a": "b"}, "enable_message_ordering": True, "ack_deadline_seconds": 33}
    clients.subscription("given", topic, **given)
    bare = clients.subscriber.get_subscription(subscription=clients.subscription("bare", topic))

    found = clients.subscriber.get_subscription(subscription=f"{PROJECT}/subscriptions/given")
    assert (found.topic, dict(found.labels), found.enable_message_ordering, found.ack_deadline_seconds) == (
        *(topic, {"a": "b"}),
        *(True, 33),
    )
    assert (bare.ack_deadline_seconds, bare.message_retention_duration.days, bare.detached) == (10, 7, False)
    assert not bare.retain_acked_messages
    assert not bare.enable_exactly_once_delivery
    assert "push_config" in bare
    assert not bare.push_config.push_endpoint


def test_an_unused_subscription_expires_after_31_days_by_default(clients: Clients) -> None:
    subscription = clients.subscription("bare", clients.topic("orders"))

    assert clients.subscriber.get_subscription(subscription=subscription).expiration_policy.ttl.days == 31


def test_lists_are_paged(clients: Clients) -> None:
    topic = clients.topic("orders")
    names = {clients.subscription(f"sub-{number}", topic) for number in range(5)}

    listed = clients.subscriber.list_subscriptions(request={"project": PROJECT, "page_size": 2})
    assert {found.name for found in listed} == names
    assert set(clients.publisher.list_topic_subscriptions(request={"topic": topic, "page_size": 2})) == names
    assert [found.name for found in clients.publisher.list_topics(project=PROJECT)] == [topic]


def test_a_subscription_outlives_its_topic(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("orphan", topic)
    clients.publish(topic, b"x")
    clients.publisher.delete_topic(topic=topic)

    assert clients.subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    assert len(clients.pull(subscription)) == 1


def update(clients: Clients, subscription: str, paths: list[str], **change: Any) -> Any:
    request = {"subscription": {"name": subscription, **change}, "update_mask": {"paths": paths}}
    return clients.subscriber.update_subscription(request=request)


def test_an_update_changes_only_masked_fields(clients: Clients) -> None:
    subscription = clients.subscription("changing", clients.topic("orders"))
    update(clients, subscription, ["ack_deadline_seconds"], ack_deadline_seconds=77, retain_acked_messages=True)

    found = clients.subscriber.get_subscription(subscription=subscription)
    assert (found.ack_deadline_seconds, found.retain_acked_messages) == (77, False)
    with pytest.raises(exceptions.InvalidArgument):
        update(clients, subscription, [], ack_deadline_seconds=78)
    with pytest.raises(exceptions.InvalidArgument):
        update(clients, subscription, ["nonsense"])
    with pytest.raises(exceptions.InvalidArgument):
        update(clients, subscription, ["topic"], topic=f"{PROJECT}/topics/other")


def test_labels_can_be_updated(clients: Clients) -> None:
    subscription = clients.subscription("labelled", clients.topic("orders"))

    assert update(clients, subscription, ["labels"], labels={"a": "b"}).labels == {"a": "b"}


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 601},
        {"ack_deadline_seconds": -1},
        {"message_retention_duration": {"seconds": 599}},
        {"message_retention_duration": {"seconds": 31 * 86_400 + 1}},
        {"dead_letter_policy": {"dead_letter_topic": f"{PROJECT}/topics/orders", "max_delivery_attempts": 4}},
        {"dead_letter_policy": {"dead_letter_topic": f"{PROJECT}/topics/orders", "max_delivery_attempts": 101}},
        {"retry_policy": {"minimum_backoff": {"seconds": 601}}},
        {"retry_policy": {"minimum_backoff": {"seconds": 9}, "maximum_backoff": {"seconds": 8}}},
    ],
    ids=["deadline", "negative", "short", "long", "four", "hundred-one", "backoff", "order"],
)
def test_a_subscription_out_of_bounds_is_refused(clients: Clients, settings: dict[str, Any]) -> None:
    topic = clients.topic("orders")

    with pytest.raises(exceptions.BadRequest):
        clients.subscription("out", topic, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 9},
        {"expiration_policy": {"ttl": {"seconds": 60}}},
        {"push_config": {"push_endpoint": "ftp://example.com/"}},
        {"enable_exactly_once_delivery": True, "push_config": {"push_endpoint": "http://127.0.0.1:9/"}},
        {"filter": "attributes.a === 1"},
    ],
    ids=["deadline", "expiration", "endpoint", "exactly-once-push", "filter"],
)
def test_a_subscription_that_breaks_a_documented_rule_is_refused(clients: Clients, settings: dict[str, Any]) -> None:
    topic = clients.topic("orders")

    with pytest.raises(exceptions.BadRequest):
        clients.subscription("out", topic, **settings)


@pytest.mark.parametrize("seconds", [599, 31 * 86_400 + 1])
def test_a_topics_retention_has_bounds(clients: Clients, seconds: int) -> None:
    retention = {"seconds": seconds}

    with pytest.raises(exceptions.InvalidArgument):
        clients.publisher.create_topic(request={"name": f"{PROJECT}/topics/out", "message_retention_duration": retention})


def test_a_detached_subscription_is_not_served(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("detached", topic)
    clients.publisher.detach_subscription(request={"subscription": subscription})

    assert clients.subscriber.get_subscription(subscription=subscription).detached
    assert list(clients.publisher.list_topic_subscriptions(request={"topic": topic})) == []


def test_iam_policies_are_stored(clients: Clients) -> None:
    topic = clients.topic("orders")
    policy = clients.publisher.get_iam_policy(request={"resource": topic})
    policy.bindings.add(role="roles/pubsub.publisher", members=["user:a@example.com"])
    clients.publisher.set_iam_policy(request={"resource": topic, "policy": policy})

    assert clients.publisher.get_iam_policy(request={"resource": topic}).bindings == policy.bindings
