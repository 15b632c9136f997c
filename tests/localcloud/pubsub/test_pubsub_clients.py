"""Publishing and pulling with google-cloud-pubsub."""

import queue
from typing import Any

import pytest

from tests.localcloud.pubsub.world import World, collector, connected, subscribed
from tests.localcloud.target import PATIENCE_SECONDS


def test_a_pulled_message_is_complete(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("orders-sub", topic)
    id_ = world.publish(topic, b"\x00caf\xc3\xa9", "", kind="é")

    [received] = world.pull(subscription)
    assert received.message.message_id == id_
    assert received.message.data == b"\x00caf\xc3\xa9"
    assert dict(received.message.attributes) == {"kind": "é"}
    assert received.message.publish_time.timestamp() > 0
    assert received.delivery_attempt == 0


def test_every_subscription_gets_every_message_once(world: World) -> None:
    topic = world.topic("orders")
    first, second = (world.subscription(id_, topic) for id_ in ("first", "second"))
    world.publish(topic, b"x")
    world.ack(first, world.pull(first))

    assert world.pull(first, now=True) == []
    assert len(world.pull(second)) == 1
    assert world.pull(second, now=True) == []


def test_a_nack_delivers_again_at_once(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("nacking", topic)
    world.publish(topic, b"x")
    first = world.pull(subscription)
    world.nack(subscription, first)

    [again] = world.pull(subscription)
    assert again.message == first[0].message
    assert again.ack_id != first[0].ack_id


def test_a_message_is_delivered_again_after_its_deadline(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("slow", topic, ack_deadline_seconds=20)
    turned.publish(topic, b"x")
    held = turned.pull(subscription)
    turned.turn(19)

    assert turned.pull(subscription, now=True) == []
    turned.turn(2)
    assert turned.pull(subscription, now=True)[0].message == held[0].message


def test_an_extended_deadline_holds_the_message_longer(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("extended", topic)
    turned.publish(topic, b"x")
    turned.extend(subscription, turned.pull(subscription), 60)
    turned.turn(55)

    assert turned.pull(subscription, now=True) == []
    turned.turn(7)
    assert len(turned.pull(subscription, now=True)) == 1


def test_a_late_acknowledgement_takes_effect(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("late", topic)
    turned.publish(topic, b"x")
    held = turned.pull(subscription)
    turned.turn(30)
    turned.ack(subscription, held)

    assert turned.pull(subscription, now=True) == []


def test_two_streams_share_a_subscription(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("shared", topic)
    received, callback = collector()
    with subscribed(world, subscription, callback), subscribed(world, subscription, callback):
        sent = [world.publish(topic, b"x") for _ in range(50)]
        ids = [received.get(timeout=PATIENCE_SECONDS).message_id for _ in range(50)]

    assert sorted(ids) == sorted(sent)


def test_flow_control_limits_a_stream(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("flow", topic)
    for _ in range(20):
        world.publish(topic, b"x")
    first = {"subscription": subscription, "stream_ack_deadline_seconds": 60, "max_outstanding_messages": 5}
    requests: queue.Queue[Any] = queue.Queue()
    requests.put(first)
    stream = world.subscriber.streaming_pull(requests=iter(requests.get, None))
    held = next(iter(stream)).received_messages

    assert len(held) == 5
    requests.put({"ack_ids": [held[0].ack_id]})
    assert len(next(iter(stream)).received_messages) == 1
    requests.put(None)
    stream.cancel()


def test_ordered_messages_arrive_in_order_through_a_stream(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("ordered", topic, enable_message_ordering=True)
    for number in range(30):
        world.publish(topic, b"%d" % number, ordering_key="key")
    received, callback = collector()
    with subscribed(world, subscription, callback):
        data = [received.get(timeout=PATIENCE_SECONDS).data for _ in range(30)]

    assert data == [b"%d" % number for number in range(30)]


def test_only_messages_that_match_the_filter_are_delivered(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("filtered", topic, filter='attributes.kind = "a"')
    world.publish(topic, b"1", kind="b")
    world.publish(topic, b"2", kind="a")

    assert [received.message.data for received in world.pull(subscription)] == [b"2"]


def test_publishing_inside_the_process_reaches_subscribers(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("inside", topic)
    id_ = world.publish_inside(topic, b"x", {"a": "b"})

    assert world.pull(subscription)[0].message.message_id == id_


def test_a_channel_without_size_limit_carries_ten_megabytes(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("big", topic)
    world.publish(topic, b"x" * 9_999_000)

    with connected(world.grpc_port, ("grpc.max_receive_message_length", -1)) as clients:
        assert len(clients.pull(subscription)[0].message.data) == 9_999_000


@pytest.mark.parametrize(("size", "number"), [(5_000, 1_500), (50_000, 200), (1_000_000, 10)])
def test_answers_stay_below_the_size_limit_of_clients(world: World, size: int, number: int) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("big", topic)
    for future in [world.publisher.publish(topic, bytes(size), kind="é" * 100) for _ in range(number)]:
        future.result(PATIENCE_SECONDS)

    received = world.pull(subscription, 1000)
    world.nack(subscription, received)
    arrived, callback = collector()
    with subscribed(world, subscription, callback):
        ids = {arrived.get(timeout=PATIENCE_SECONDS).message_id for _ in range(number)}
    assert len(ids) == number
