"""Exactly-once delivery, with google-cloud-pubsub."""

import queue
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.exceptions import AcknowledgeError, AcknowledgeStatus
from google.cloud.pubsub_v1.subscriber.futures import Future
from google.cloud.pubsub_v1.types import FlowControl
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage

from tests.localcloud.pubsub.world import World, subscribed
from tests.localcloud.target import PATIENCE_SECONDS

#: Number of ids that Google's client puts into one request.
MANY = 1000


def publish_many(world: World, topic: str) -> None:
    """Publish MANY messages in one request."""
    messages = [PubsubMessage(data=b"%d" % number) for number in range(MANY)]
    PublisherApi.publish(world.publisher, topic=topic, messages=messages)


def test_an_acknowledgement_takes_effect_once(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("once", topic, enable_exactly_once_delivery=True)
    turned.publish(topic, b"x")
    received = turned.pull(subscription)
    turned.ack(subscription, received)

    with pytest.raises(exceptions.InvalidArgument) as refused:
        turned.ack(subscription, received)
    assert refused.value.reason == "EXACTLY_ONCE_ACKID_FAILURE"
    assert refused.value.metadata == {received[0].ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}


def test_an_ended_lease_can_neither_be_acknowledged_nor_extended(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("late", topic, enable_exactly_once_delivery=True)
    turned.publish(topic, b"late")
    late = turned.pull(subscription)
    turned.turn(12)
    [again] = turned.pull(subscription)
    turned.publish(topic, b"fresh")
    fresh = turned.pull(subscription)

    for act in (turned.ack, turned.nack):
        with pytest.raises(exceptions.InvalidArgument) as refused:
            act(subscription, late)
        assert refused.value.metadata == {late[0].ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}
    with pytest.raises(exceptions.InvalidArgument):
        turned.ack(subscription, late + fresh)
    turned.turn(60)
    assert [each.message.data for each in turned.pull(subscription)] == [again.message.data]


@pytest.mark.parametrize("seconds", [None, 0, 30])
def test_a_refusal_that_cannot_name_all_late_ids_asks_for_a_retry(turned: World, seconds: int | None) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("crowded", topic, enable_exactly_once_delivery=True)
    publish_many(turned, topic)
    late = turned.pull_all(subscription, MANY)
    turned.turn(12)
    left = [*late, turned.pull(subscription, max_messages=1)[0]]
    refusals = []
    while len(left) > 1:
        with pytest.raises(exceptions.GoogleAPICallError) as refused:
            _act(turned, subscription, left, seconds)
        refusals.append(type(refused.value))
        left = [each for each in left if each.ack_id not in refused.value.metadata]

    assert len(refusals) > 5
    assert refusals == [exceptions.ResourceExhausted] * (len(refusals) - 1) + [exceptions.InvalidArgument]
    if seconds is None:
        turned.turn(700)
        assert left[0].message.message_id not in {each.message.message_id for each in turned.pull_all(subscription, MANY - 1)}


def test_a_subscriber_survives_many_late_acknowledgements(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("surviving", topic, enable_exactly_once_delivery=True)
    received: queue.Queue[Any] = queue.Queue()
    flow = FlowControl(max_messages=10 * MANY, max_lease_duration=0)  # else the client may extend leases while the clock turns
    with subscribed(turned, subscription, received.put, flow_control=flow):
        publish_many(turned, topic)
        late = [received.get(timeout=PATIENCE_SECONDS) for _ in range(MANY)]
        turned.turn(62)
        outcomes = [message.ack_with_response() for message in late]

        assert {_code(outcome) for outcome in outcomes} == {AcknowledgeStatus.INVALID_ACK_ID}
        again = [received.get(timeout=PATIENCE_SECONDS).ack_with_response() for _ in range(MANY)]
        assert {outcome.result(PATIENCE_SECONDS) for outcome in again} == {AcknowledgeStatus.SUCCESS}


def test_a_stream_confirms_acknowledgements_and_deadlines(turned: World) -> None:
    topic = turned.topic("orders")
    subscription = turned.subscription("confirming", topic, enable_exactly_once_delivery=True)
    turned.publish(topic, b"1")
    turned.publish(topic, b"2")
    requests: queue.Queue[Any] = queue.Queue()
    requests.put({"subscription": subscription, "stream_ack_deadline_seconds": 60})
    stream = iter(turned.subscriber.streaming_pull(requests=iter(requests.get, None)))
    first = next(stream)
    one, two = (received.ack_id for received in first.received_messages)
    requests.put({"ack_ids": [one], "modify_deadline_ack_ids": [two], "modify_deadline_seconds": [30]})
    acknowledged, modified = next(stream), next(stream)
    requests.put({"ack_ids": [one, two]})
    mixed = next(stream).acknowledge_confirmation
    requests.put(None)

    assert first.subscription_properties.exactly_once_delivery_enabled
    assert acknowledged.acknowledge_confirmation.ack_ids == [one]
    assert modified.modify_ack_deadline_confirmation.ack_ids == [two]
    assert (mixed.ack_ids, mixed.invalid_ack_ids) == ([two], [one])


def test_the_client_reports_success_and_failure_of_acknowledgements(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("asking", topic, enable_exactly_once_delivery=True)
    received: queue.Queue[Any] = queue.Queue()
    with subscribed(world, subscription, received.put):
        world.publish(topic, b"x")
        message = received.get(timeout=PATIENCE_SECONDS)
        assert message.ack_with_response().result(PATIENCE_SECONDS) == AcknowledgeStatus.SUCCESS

        with pytest.raises(AcknowledgeError) as refused:
            message.ack_with_response().result(PATIENCE_SECONDS)
        assert refused.value.error_code == AcknowledgeStatus.INVALID_ACK_ID


def _act(world: World, subscription: str, received: list[Any], seconds: int | None) -> None:
    """Set the deadlines to `seconds`, or acknowledge when it is None."""
    if seconds is None:
        world.ack(subscription, received)
    else:
        world.extend(subscription, received, seconds)


def _code(outcome: Future) -> AcknowledgeStatus:
    """The error code of a failed acknowledgement."""
    error = outcome.exception(PATIENCE_SECONDS)
    assert isinstance(error, AcknowledgeError)
    return error.error_code
