"""Seek, snapshots, retention and expiration, on a clock that tests turn."""

import contextlib
import json
import queue
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core import exceptions

from tests.eventually import eventually
from tests.localcloud.pubsub.world import PROJECT, World
from tests.localcloud.target import PATIENCE_SECONDS, Target

DAY = 86_400
SNAPSHOT = f"{PROJECT}/snapshots/snap"


def contents(received: list[Any]) -> list[bytes]:
    return [each.message.data for each in received]


def seek(world: World, subscription: str, seconds: float) -> None:
    """Seek to a time, `seconds` from now."""
    moment = datetime.fromtimestamp(world.clock.time() + seconds, UTC)
    world.subscriber.seek(request={"subscription": subscription, "time": moment})


def test_seeking_back_replays_retained_messages(turned: World) -> None:
    topic = turned.topic("orders")
    keeping = turned.subscription("keeping", topic, retain_acked_messages=True)
    forgetting = turned.subscription("forgetting", topic)
    turned.publish(topic, b"old")
    turned.turn(60)
    turned.publish(topic, b"new")
    for subscription in (keeping, forgetting):
        turned.ack(subscription, turned.pull(subscription))
        seek(turned, subscription, -30)

    assert contents(turned.pull(keeping)) == [b"new"]
    assert turned.pull(forgetting, now=True) == []
    seek(turned, keeping, -100)
    assert sorted(contents(turned.pull(keeping))) == [b"new", b"old"]


def test_seeking_to_now_acknowledges_everything(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("full", topic)
    turned.publish(topic, b"x")
    seek(turned, subscription, 1)

    assert turned.pull(subscription, now=True) == []
    turned.publish(topic, b"y")
    assert contents(turned.pull(subscription)) == [b"y"]


def test_a_topics_retained_messages_reach_later_subscriptions(turned: World) -> None:
    topic = f"{PROJECT}/topics/retaining"
    turned.publisher.create_topic(request={"name": topic, "message_retention_duration": {"seconds": 600}})
    turned.publish(topic, b"1", kind="a")
    turned.publish(topic, b"2", kind="b")
    subscription = turned.subscription("late", topic, filter='attributes.kind = "b"')
    seek(turned, subscription, -60)

    assert contents(turned.pull(subscription)) == [b"2"]
    later = turned.subscription("later", topic)
    assert turned.subscriber.get_subscription(subscription=later).topic_message_retention_duration.seconds == 600
    turned.turn(700)
    seek(turned, later, -3600)
    assert turned.pull(later, now=True) == []


def test_a_seek_replays_ordered_messages_in_order(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("ordered", topic, enable_message_ordering=True, retain_acked_messages=True)
    for number in range(6):
        turned.publish(topic, b"%d" % number, "key")
    turned.ack(subscription, turned.pull(subscription, 3))
    turned.pull(subscription, 1)
    seek(turned, subscription, -60)

    assert contents(turned.pull(subscription)) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_a_seek_replays_leased_messages_too(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("leased", topic, ack_deadline_seconds=600)
    turned.publish(topic, b"x")
    turned.pull(subscription)
    seek(turned, subscription, -60)

    assert contents(turned.pull(subscription)) == [b"x"]


@pytest.mark.parametrize("is_acknowledged", [True, False], ids=["acknowledged", "leased"])
def test_an_acknowledgement_from_before_a_seek_removes_nothing(turned: World, is_acknowledged: bool) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("overtaken", topic, retain_acked_messages=True)
    turned.publish(topic, b"x")
    old = turned.pull(subscription)
    if is_acknowledged:
        turned.ack(subscription, old)
    seek(turned, subscription, -60)
    turned.ack(subscription, old)
    new = turned.pull(subscription)
    turned.ack(subscription, old)
    turned.nack(subscription, old)
    assert turned.pull(subscription, now=True) == []
    turned.nack(subscription, new)
    again = turned.pull(subscription)

    assert [contents(received) for received in (old, new, again)] == [[b"x"]] * 3
    turned.ack(subscription, again)
    assert turned.pull(subscription, now=True) == []


def test_a_push_that_a_seek_overtook_is_repeated(world: World, endpoint: Target) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("pushing", topic, push_config={"push_endpoint": endpoint.url})
    endpoint.gate.clear()
    world.publish(topic, b"x")
    endpoint.wait_for(1)
    seek(world, subscription, -60)
    endpoint.gate.set()

    assert [pushed.envelope["message"]["data"] for pushed in endpoint.wait_for(2)] == ["eA==", "eA=="]


def test_a_snapshot_restores_its_backlog_and_all_later_messages(turned: World) -> None:
    topic = turned.topic("orders")
    subscription, twin = turned.subscription("first", topic), turned.subscription("twin", topic)
    turned.publish(topic, b"done")
    turned.ack(subscription, turned.pull(subscription))
    turned.publish(topic, b"open")
    snapshot = turned.subscriber.create_snapshot(name=SNAPSHOT, subscription=subscription)
    turned.publish(topic, b"since")
    for each in (subscription, twin):
        turned.ack(each, turned.pull(each))
        turned.subscriber.seek(request={"subscription": each, "snapshot": SNAPSHOT})

        assert contents(turned.pull(each)) == [b"open", b"since"]
    assert snapshot.topic == topic
    assert snapshot.expire_time.timestamp() == pytest.approx(turned.clock.time() + 7 * DAY, abs=1)


def test_a_snapshot_lives_a_week_less_the_age_of_its_backlog(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("aging", topic, message_retention_duration={"seconds": 31 * DAY})
    turned.publish(topic, b"x")
    turned.turn(DAY)
    snapshot = turned.subscriber.create_snapshot(name=SNAPSHOT, subscription=subscription)
    assert snapshot.expire_time.timestamp() == pytest.approx(turned.clock.time() + 6 * DAY, abs=1)
    turned.turn(5.99 * DAY)

    with pytest.raises(exceptions.FailedPrecondition, match="less than an hour"):
        turned.subscriber.create_snapshot(name=f"{PROJECT}/snapshots/second", subscription=subscription)
    assert [found.name for found in turned.subscriber.list_snapshots(project=PROJECT)] == [SNAPSHOT]
    turned.turn(0.02 * DAY)
    assert list(turned.subscriber.list_snapshots(project=PROJECT)) == []


def test_messages_are_deleted_after_their_retention(turned: World) -> None:
    topic = turned.topic("orders")
    retention = {"seconds": 600}
    subscription = turned.subscription("short", topic, message_retention_duration=retention, retain_acked_messages=True)
    turned.publish(topic, b"acknowledged")
    turned.ack(subscription, turned.pull(subscription))
    turned.publish(topic, b"unacknowledged")
    turned.turn(700)
    seek(turned, subscription, -3600)

    assert turned.pull(subscription, now=True) == []


def test_an_unused_subscription_expires(turned: World) -> None:
    topic = turned.topic("orders")
    policy = {"ttl": {"seconds": DAY}}
    idle, used = (turned.subscription(id_, topic, expiration_policy=policy) for id_ in ("idle", "used"))
    eternal = turned.subscription("eternal", topic, expiration_policy={})
    turned.turn(DAY / 2)
    turned.pull(used, now=True)
    turned.turn(DAY / 2 + 60)

    assert {found.name for found in turned.subscriber.list_subscriptions(project=PROJECT)} == {used, eternal}
    assert idle not in turned.publisher.list_topic_subscriptions(request={"topic": topic})


def test_a_detached_subscription_is_empty_and_cannot_be_pulled(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("detached", topic)
    world.publish(topic, b"x")
    world.publisher.detach_subscription(request={"subscription": subscription})

    assert world.subscriber.get_subscription(subscription=subscription).detached
    assert list(world.publisher.list_topic_subscriptions(request={"topic": topic})) == []
    with pytest.raises(Exception, match="detached"):
        world.pull(subscription)


@contextlib.contextmanager
def idle_stream(world: World, subscription: str) -> Iterator[Any]:
    """The answers of an open streaming pull without messages."""
    requests: queue.Queue[Any] = queue.Queue()
    requests.put({"subscription": subscription, "stream_ack_deadline_seconds": 60})
    stream = world.subscriber.streaming_pull(requests=iter(requests.get, None), timeout=PATIENCE_SECONDS)
    try:
        eventually(lambda: world.service._broker.subscription(subscription).consumers, "the stream to open")
        yield stream
    finally:
        requests.put(None)
        stream.cancel()


def test_an_idle_stream_sends_heartbeats(turned: World) -> None:
    subscription = turned.subscription("quiet", turned.topic("orders"))
    with idle_stream(turned, subscription) as stream:
        turned.turn(31)

        assert list(next(iter(stream)).received_messages) == []


def test_a_subscription_with_an_open_stream_does_not_expire(turned: World) -> None:
    subscription = turned.subscription("quiet", turned.topic("orders"), expiration_policy={"ttl": {"seconds": DAY}})
    with idle_stream(turned, subscription):
        turned.turn(1.1 * DAY)

        assert [found.name for found in turned.subscriber.list_subscriptions(project=PROJECT)] == [subscription]


def test_rest_serves_snapshots_and_seek(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("resting", topic)
    world.publish(topic, b"x")

    assert rest(world, "PUT", SNAPSHOT, {"subscription": subscription})["topic"] == topic
    world.ack(subscription, world.pull(subscription))
    assert rest(world, "POST", f"{subscription}:seek", {"snapshot": SNAPSHOT}) == {}
    assert contents(world.pull(subscription)) == [b"x"]
    assert rest(world, "GET", f"{topic}/snapshots") == {"snapshots": [SNAPSHOT]}
    change = {"snapshot": {"labels": {"a": "b"}}, "updateMask": "labels"}
    assert rest(world, "PATCH", SNAPSHOT, change)["labels"] == {"a": "b"}
    assert rest(world, "DELETE", SNAPSHOT) == {}
    assert rest(world, "GET", f"{PROJECT}/snapshots") == {}
    assert rest(world, "POST", f"{subscription}:detach", {}) == {}


def rest(world: World, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{world.port}/v1/{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
