"""Publishing, pulling, acknowledging."""

import queue
import threading
from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage

from tests.eventually import eventually
from tests.localcloud.pubsub.world import PROJECT, Clients, collector, subscribed
from tests.localcloud.target import PATIENCE_SECONDS

#: Timeout of a stream: the emulator never sends what some tests wait for.
STREAM_SECONDS = 15.0


def contents(received: list[Any]) -> list[bytes]:
    return [each.message.data for each in received]


def test_a_pulled_message_is_complete(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("orders-sub", topic, enable_message_ordering=True)
    id_ = clients.publish(topic, b"\x00caf\xc3\xa9", "key", kind="é", empty="")

    [received] = clients.pull(subscription)
    message = received.message
    assert (message.message_id, message.data, message.ordering_key) == (id_, b"\x00caf\xc3\xa9", "key")
    assert dict(message.attributes) == {"kind": "é", "empty": ""}
    assert message.publish_time.timestamp() > 0
    assert received.delivery_attempt == 0


def test_the_ids_of_a_batch_ascend(clients: Clients) -> None:
    topic = clients.topic("orders")
    messages = [PubsubMessage(data=b"%d" % number) for number in range(20)]
    ids = PublisherApi.publish(clients.publisher, topic=topic, messages=messages).message_ids

    assert len(set(ids)) == 20
    assert [int(id_) for id_ in ids] == sorted(map(int, ids))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"attributes": {"k" * 257: "v"}},
        {"attributes": {"k": "v" * 1025}},
        {"attributes": {f"k{number}": "v" for number in range(101)}},
        {"attributes": {"goog-x": "v"}},
        {"attributes": {"": "v"}},
        {"data": b"x", "ordering_key": "k" * 1025},
        {"data": b"x" * 10_000_001},
    ],
    ids=["empty", "key", "value", "attributes", "goog", "no-key", "ordering-key", "big"],
)
def test_a_message_over_a_limit_is_refused(clients: Clients, message: dict[str, Any]) -> None:
    topic = clients.topic("orders")

    with pytest.raises(exceptions.InvalidArgument):
        PublisherApi.publish(clients.publisher, topic=topic, messages=[PubsubMessage(message)])


@pytest.mark.parametrize("count", [0, 1001])
def test_a_request_publishes_1_to_1000_messages(clients: Clients, count: int) -> None:
    topic = clients.topic("orders")

    with pytest.raises(exceptions.InvalidArgument):
        PublisherApi.publish(clients.publisher, topic=topic, messages=[PubsubMessage(data=b"x")] * count)


def test_every_subscription_gets_every_message_until_it_acknowledges(clients: Clients) -> None:
    topic = clients.topic("orders")
    first, second = (clients.subscription(id_, topic) for id_ in ("first", "second"))
    clients.publish(topic, b"x")
    clients.ack(first, clients.pull(first))

    assert clients.pull(first, now=True) == []
    held = clients.pull(second)
    assert contents(held) == [b"x"]
    assert clients.pull(second, now=True) == []
    clients.ack(second, held)
    clients.ack(second, held)


def test_a_subscription_gets_no_earlier_messages(clients: Clients) -> None:
    topic = clients.topic("orders")
    clients.publish(topic, b"before")
    subscription = clients.subscription("later", topic)

    assert clients.pull(subscription, now=True) == []


def test_a_pull_respects_max_messages(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("few", topic)
    for _ in range(5):
        clients.publish(topic, b"x")

    assert len(clients.pull(subscription, 2)) == 2
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        clients.pull(subscription, 0)


def test_a_waiting_pull_wakes_on_publish(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("waiting", topic)
    found: queue.Queue[Any] = queue.Queue()
    puller = threading.Thread(target=lambda: found.put(clients.pull(subscription)))
    puller.start()
    clients.publish(topic, b"x")
    puller.join()

    assert len(found.get()) == 1


def test_a_nack_delivers_again_under_another_id(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("nacking", topic)
    clients.publish(topic, b"x")
    first = clients.pull(subscription)
    clients.nack(subscription, first)

    [again] = clients.pull_all(subscription, 1)
    assert again.message == first[0].message


def test_a_lease_can_be_shortened(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("shortened", topic, ack_deadline_seconds=600)
    clients.publish(topic, b"x")
    clients.extend(subscription, clients.pull(subscription), 1)

    assert contents(clients.pull_all(subscription, 1)) == [b"x"]


def test_missing_and_invalid_ack_ids_are_refused(clients: Clients) -> None:
    subscription = clients.subscription("strict", clients.topic("orders"))

    nonsense = {"subscription": subscription, "ack_ids": ["nonsense"]}
    for ids in ([], ["nonsense"]):
        with pytest.raises(exceptions.InvalidArgument):
            clients.subscriber.acknowledge(subscription=subscription, ack_ids=ids)
    for seconds in (10, 601):
        with pytest.raises(exceptions.InvalidArgument):
            clients.subscriber.modify_ack_deadline(request=nonsense | {"ack_deadline_seconds": seconds})


def open_stream(clients: Clients, subscription: str, **settings: Any) -> tuple["queue.Queue[Any]", Any]:
    """The queue for requests, and the stream of answers."""
    requests: queue.Queue[Any] = queue.Queue()
    requests.put({"subscription": subscription, "stream_ack_deadline_seconds": 60, **settings})
    return requests, clients.subscriber.streaming_pull(requests=iter(requests.get, None), timeout=STREAM_SECONDS)


def test_a_stream_delivers_new_and_returned_messages(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("streaming", topic)
    refused: set[str] = set()
    done: queue.Queue[bytes] = queue.Queue()

    def callback(message: Any) -> None:
        if message.message_id not in refused:
            refused.add(message.message_id)
            message.nack()
            return
        message.ack()
        done.put(message.data)

    with subscribed(clients, subscription, callback):
        for future in [clients.publisher.publish(topic, b"%d" % number) for number in range(100)]:
            future.result()
        received = {done.get(timeout=PATIENCE_SECONDS) for _ in range(100)}

    assert received == {b"%d" % number for number in range(100)}
    eventually(lambda: clients.pull(subscription, now=True) == [], "an empty subscription")


def test_flow_control_limits_a_stream(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("flow", topic)
    for _ in range(20):
        clients.publish(topic, b"x")
    requests, stream = open_stream(clients, subscription, max_outstanding_messages=5)
    answers = iter(stream)
    held = [received for _ in range(1) for received in next(answers).received_messages]
    while len(held) < 5:
        held += next(answers).received_messages
    requests.put({"ack_ids": [held[0].ack_id]})
    more = next(answers).received_messages
    requests.put(None)
    stream.cancel()

    assert (len(held), len(more)) == (5, 1)


@pytest.mark.parametrize("seconds", [9, 601])
def test_a_streams_deadline_has_bounds(clients: Clients, seconds: int) -> None:
    subscription = clients.subscription("bounded", clients.topic("orders"))
    requests, stream = open_stream(clients, subscription, stream_ack_deadline_seconds=seconds)
    requests.put(None)

    with pytest.raises(exceptions.InvalidArgument):
        list(stream)


def test_a_stream_needs_a_subscription(clients: Clients) -> None:
    requests, stream = open_stream(clients, f"{PROJECT}/subscriptions/nowhere")

    with pytest.raises(exceptions.NotFound):
        list(stream)
    requests.put(None)


def test_a_stream_ends_when_its_subscription_is_deleted(clients: Clients) -> None:
    subscription = clients.subscription("doomed", clients.topic("orders"))
    future = clients.subscriber.subscribe(subscription, lambda _: None)
    clients.subscriber.delete_subscription(subscription=subscription)

    with pytest.raises(exceptions.NotFound):
        future.result(PATIENCE_SECONDS)


def test_messages_of_a_key_arrive_in_order(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("ordered", topic, enable_message_ordering=True)
    for number in range(30):
        clients.publish(topic, b"%d" % number, "key")
    received, callback = collector()
    with subscribed(clients, subscription, callback):
        data = [received.get(timeout=PATIENCE_SECONDS).data for _ in range(30)]

    assert data == [b"%d" % number for number in range(30)]


def test_a_nack_repeats_all_later_messages_of_its_key(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("ordered", topic, enable_message_ordering=True)
    for number in range(4):
        clients.publish(topic, b"%d" % number, "key")
    received = clients.pull_all(subscription, 4)
    clients.ack(subscription, received[:1])
    clients.nack(subscription, received[1:2])

    assert contents(clients.pull_all(subscription, 3, STREAM_SECONDS)) == [b"1", b"2", b"3"]


def test_only_messages_that_match_the_filter_are_delivered(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("filtered", topic, filter='attributes.kind = "a" AND NOT attributes:hidden')
    clients.publish(topic, b"1", kind="b")
    clients.publish(topic, b"2", kind="a", hidden="")
    clients.publish(topic, b"3", kind="a")

    assert contents(clients.pull(subscription)) == [b"3"]


def test_a_message_returned_too_often_becomes_a_dead_letter(clients: Clients) -> None:
    topic, dead = clients.topic("orders"), clients.topic("dead-letters")
    grave = clients.subscription("grave", dead)
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    retry: dict[str, Any] = {"minimum_backoff": {}, "maximum_backoff": {}}
    subscription = clients.subscription("poisoned", topic, dead_letter_policy=policy, retry_policy=retry)
    clients.publish(topic, b"poison", kind="a")
    attempts = []
    for _ in range(5):
        [received] = clients.pull_all(subscription, 1)
        attempts.append(received.delivery_attempt)
        clients.nack(subscription, [received])

    # The emulator publishes a dead letter only when the next delivery is due, two seconds later.
    [letter] = eventually(lambda: clients.pull(subscription, now=True) or clients.pull(grave, now=True), "the dead letter")
    attributes = dict(letter.message.attributes)
    assert attempts == [1, 2, 3, 4, 5]
    assert letter.message.data == b"poison"
    assert attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime")
    assert attributes == {
        "kind": "a",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "poisoned",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "local-project",
    }
