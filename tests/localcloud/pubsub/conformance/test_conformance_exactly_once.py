"""Exactly-once delivery."""

import queue
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.exceptions import AcknowledgeStatus

from tests.localcloud.pubsub.world import Clients, subscribed
from tests.localcloud.target import PATIENCE_SECONDS

#: Timeout of a stream: the emulator never sends what the tests wait for.
STREAM_SECONDS = 15.0
INVALID = "PERMANENT_FAILURE_INVALID_ACK_ID"


def test_an_acknowledgement_takes_effect_once(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("once", topic, enable_exactly_once_delivery=True)
    clients.publish(topic, b"x")
    received = clients.pull(subscription)
    clients.ack(subscription, received)

    for act in (clients.ack, clients.nack):
        with pytest.raises(exceptions.InvalidArgument) as refused:
            act(subscription, received)
        assert refused.value.reason == "EXACTLY_ONCE_ACKID_FAILURE"
        assert refused.value.metadata == {received[0].ack_id: INVALID}


def test_an_ack_id_expires_with_its_lease(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("given-back", topic, enable_exactly_once_delivery=True)
    clients.publish(topic, b"x")
    first = clients.pull(subscription)
    clients.nack(subscription, first)
    again = clients.pull_all(subscription, 1)

    with pytest.raises(exceptions.InvalidArgument) as refused:
        clients.ack(subscription, first + again)
    assert refused.value.metadata == {first[0].ack_id: INVALID}
    assert clients.pull(subscription, now=True) == []


def test_an_invalid_id_is_refused_without_exactly_once_details(clients: Clients) -> None:
    subscription = clients.subscription("strict", clients.topic("orders"), enable_exactly_once_delivery=True)

    with pytest.raises(exceptions.InvalidArgument) as refused:
        clients.subscriber.acknowledge(subscription=subscription, ack_ids=["nonsense"])
    assert refused.value.reason is None


def test_a_stream_confirms_acknowledgements(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("confirming", topic, enable_exactly_once_delivery=True)
    clients.publish(topic, b"1")
    requests: queue.Queue[Any] = queue.Queue()
    requests.put({"subscription": subscription, "stream_ack_deadline_seconds": 60})
    stream = clients.subscriber.streaming_pull(requests=iter(requests.get, None), timeout=STREAM_SECONDS)
    answers = iter(stream)
    [received] = next(answers).received_messages
    ids = [received.ack_id]
    requests.put({"modify_deadline_ack_ids": ids, "modify_deadline_seconds": [30]})
    modified = next(answer for answer in answers if answer.modify_ack_deadline_confirmation.ack_ids)
    requests.put({"ack_ids": ids})
    acknowledged = next(answer for answer in answers if answer.acknowledge_confirmation.ack_ids)
    requests.put({"ack_ids": ids})
    late = next(answer for answer in answers if answer.acknowledge_confirmation.invalid_ack_ids)
    requests.put(None)
    stream.cancel()

    assert modified.modify_ack_deadline_confirmation.ack_ids == ids
    assert acknowledged.acknowledge_confirmation.ack_ids == ids
    assert late.acknowledge_confirmation.invalid_ack_ids == ids


def test_the_client_reports_a_successful_acknowledgement(clients: Clients) -> None:
    topic = clients.topic("orders")
    subscription = clients.subscription("asking", topic, enable_exactly_once_delivery=True)
    received: queue.Queue[Any] = queue.Queue()
    with subscribed(clients, subscription, received.put):
        clients.publish(topic, b"x")
        message = received.get(timeout=PATIENCE_SECONDS)

        assert message.ack_with_response().result(PATIENCE_SECONDS) == AcknowledgeStatus.SUCCESS
