"""Snapshots and seek."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions

from tests.localcloud.pubsub.world import PROJECT, Clients

SNAPSHOT = f"{PROJECT}/snapshots/snap"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def contents(received: list[Any]) -> list[bytes]:
    return [each.message.data for each in received]


def seek(clients: Clients, subscription: str, **target: Any) -> None:
    clients.subscriber.seek(request={"subscription": subscription, **target})


def test_seeking_back_replays_retained_messages(clients: Clients) -> None:
    topic = clients.topic("orders")
    keeping = clients.subscription("keeping", topic, retain_acked_messages=True)
    forgetting = clients.subscription("forgetting", topic)
    clients.publish(topic, b"x")
    for subscription in (keeping, forgetting):
        clients.ack(subscription, clients.pull(subscription))
        seek(clients, subscription, time=LONG_AGO)

    assert contents(clients.pull_all(keeping, 1)) == [b"x"]
    assert clients.pull(forgetting, now=True) == []


def test_seeking_past_a_message_acknowledges_it(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("full", topic)
    clients.publish(topic, b"x")
    seek(clients, subscription, time=datetime.now(UTC) + timedelta(seconds=1))

    assert clients.pull(subscription, now=True) == []


def test_a_snapshot_restores_its_backlog_and_all_later_messages(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("first", topic)
    clients.publish(topic, b"done")
    clients.ack(subscription, clients.pull(subscription))
    clients.publish(topic, b"open")
    snapshot = clients.subscriber.create_snapshot(name=SNAPSHOT, subscription=subscription)
    clients.publish(topic, b"since")
    clients.ack(subscription, clients.pull_all(subscription, 2))
    seek(clients, subscription, snapshot=SNAPSHOT)

    assert contents(clients.pull_all(subscription, 2)) == [b"open", b"since"]
    assert (snapshot.name, snapshot.topic) == (SNAPSHOT, topic)
    days = (snapshot.expire_time - datetime.now(UTC)).total_seconds() / 86_400
    assert days == pytest.approx(7, abs=0.1)


def test_snapshots_are_listed_and_deleted(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("first", topic)
    clients.subscriber.create_snapshot(name=SNAPSHOT, subscription=subscription)

    with pytest.raises(exceptions.AlreadyExists):
        clients.subscriber.create_snapshot(name=SNAPSHOT, subscription=subscription)
    assert clients.subscriber.get_snapshot(snapshot=SNAPSHOT).topic == topic
    assert [found.name for found in clients.subscriber.list_snapshots(project=PROJECT)] == [SNAPSHOT]
    assert list(clients.publisher.list_topic_snapshots(request={"topic": topic})) == [SNAPSHOT]
    clients.subscriber.delete_snapshot(snapshot=SNAPSHOT)
    for call in (clients.subscriber.get_snapshot, clients.subscriber.delete_snapshot):
        with pytest.raises(exceptions.NotFound):
            call(snapshot=SNAPSHOT)


def test_a_seek_requires_a_target_of_the_same_topic(clients: Clients) -> None:
    subscription = clients.subscription("first", clients.topic("orders"))
    stranger = clients.subscription("stranger", clients.topic("others"))
    clients.subscriber.create_snapshot(name=SNAPSHOT, subscription=subscription)

    with pytest.raises(exceptions.InvalidArgument):
        seek(clients, subscription)
    with pytest.raises(exceptions.NotFound):
        seek(clients, subscription, snapshot=f"{PROJECT}/snapshots/nowhere")
    with pytest.raises(exceptions.FailedPrecondition):
        seek(clients, stranger, snapshot=SNAPSHOT)


def test_a_snapshots_labels_can_be_updated(clients: Clients) -> None:
    subscription = clients.subscription("first", clients.topic("orders"))
    clients.subscriber.create_snapshot(name=SNAPSHOT, subscription=subscription)
    change = {"snapshot": {"name": SNAPSHOT, "labels": {"a": "b"}}, "update_mask": {"paths": ["labels"]}}

    assert clients.subscriber.update_snapshot(request=change).labels == {"a": "b"}


def test_a_topics_retained_messages_serve_seeks(clients: Clients) -> None:
    topic = f"{PROJECT}/topics/retaining"
    clients.publisher.create_topic(request={"name": topic, "message_retention_duration": {"seconds": 600}})
    subscription = clients.subscription("first", topic)
    clients.publish(topic, b"x")
    clients.ack(subscription, clients.pull(subscription))
    seek(clients, subscription, time=LONG_AGO)

    assert contents(clients.pull_all(subscription, 1)) == [b"x"]


def test_a_topics_retained_messages_reach_later_subscriptions(clients: Clients) -> None:
    topic = f"{PROJECT}/topics/retaining"
    clients.publisher.create_topic(request={"name": topic, "message_retention_duration": {"seconds": 600}})
    clients.publish(topic, b"x")
    subscription = clients.subscription("later", topic)
    seek(clients, subscription, time=LONG_AGO)

    assert contents(clients.pull(subscription)) == [b"x"]


def test_a_seek_replays_ordered_messages_in_order(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("ordered", topic, enable_message_ordering=True, retain_acked_messages=True)
    for number in range(6):
        clients.publish(topic, b"%d" % number, "key")
    clients.ack(subscription, clients.pull_all(subscription, 6))
    seek(clients, subscription, time=LONG_AGO)

    assert contents(clients.pull_all(subscription, 6)) == [b"%d" % number for number in range(6)]
