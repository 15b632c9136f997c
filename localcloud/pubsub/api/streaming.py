"""StreamingPull: one task reads the client's requests, another writes messages and confirmations."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from localcloud.clock import Alarm
from localcloud.errors import ApiError
from localcloud.pubsub.api.acknowledgements import acknowledge_confirmation, check_deadline, deadline_confirmation
from localcloud.pubsub.api.pull import check_pullable, received_messages
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.messages import StreamingPullResponse
from localcloud.pubsub.model import Consumer

#: Interval of empty answers: clients close a stream that is silent for longer.
HEARTBEAT_SECONDS = 30.0
#: Messages in one answer: enough to be efficient, few enough to share between streams.
MAX_ANSWER_MESSAGES = 200


async def streaming_pull(broker: Broker, requests: AsyncIterator[Any], context: Any) -> None:
    """Serve one stream until the client ends it. Raises `ApiError` when the subscription can no longer be pulled."""
    first = await anext(requests, None)
    if first is None:
        return
    stream = _Stream(broker, first)
    reader = asyncio.create_task(stream.read(requests))
    writer = asyncio.create_task(stream.write(context))
    try:
        await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        for task in (writer, reader):
            if task.done():
                task.result()
    finally:
        stream.close()
        for task in (reader, writer):
            task.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)


class _Stream:
    """One open stream: its subscription, flow control and lease duration."""

    def __init__(self, broker: Broker, first: Any) -> None:
        self._broker = broker
        self._subscription: Subscription = broker.subscription(first.subscription)
        check_pullable(self._subscription)
        self._lease_seconds = _stream_deadline(first.stream_ack_deadline_seconds)
        # Negative means no limit (google/pubsub/v1/pubsub.proto, StreamingPullRequest).
        self._consumer = Consumer(max(0, first.max_outstanding_messages), max(0, first.max_outstanding_bytes))
        self._confirmations: list[Any] = []
        self._is_heartbeat_due = False
        self._heartbeat = Alarm(broker.clock, self._beat)
        self._subscription.usage.touch()
        self._apply(first)
        self._subscription.consumers.append(self._consumer)
        self._heartbeat.set(broker.clock.time() + HEARTBEAT_SECONDS)

    def close(self) -> None:
        """Take no more messages. Those that the client holds are delivered again when their leases end."""
        self._heartbeat.cancel()
        self._subscription.consumers.remove(self._consumer)
        self._subscription.wake_consumers()

    async def read(self, requests: AsyncIterator[Any]) -> None:
        """Apply the client's requests until it ends the stream."""
        async for request in requests:
            if request.subscription:
                raise ApiError("INVALID_ARGUMENT", "The subscription can only be set in the first request of a stream.")
            if request.stream_ack_deadline_seconds:
                self._lease_seconds = _stream_deadline(request.stream_ack_deadline_seconds)
            self._apply(request)

    async def write(self, context: Any) -> None:
        """Send confirmations and messages as soon as they are ready."""
        wake = self._consumer.wake
        while True:
            wake.clear()
            check_pullable(self._subscription)
            await self._send_confirmations(context)
            taken = self._subscription.take(self._consumer, MAX_ANSWER_MESSAGES, self._lease_seconds)
            if taken:
                await context.write(self._answer(received_messages(self._subscription, taken)))
                continue
            if self._is_heartbeat_due:
                self._is_heartbeat_due = False
                await context.write(self._answer([]))
            await wake.wait()

    async def _send_confirmations(self, context: Any) -> None:
        """Confirm acknowledgements and deadlines after the commit."""
        confirmations, self._confirmations = self._confirmations, []
        if confirmations:
            await self._broker.committed()
        for confirmation in confirmations:
            confirmation.subscription_properties.CopyFrom(self._answer([]).subscription_properties)
            await context.write(confirmation)

    def _beat(self) -> None:
        self._is_heartbeat_due = True
        self._heartbeat.set(self._broker.clock.time() + HEARTBEAT_SECONDS)
        self._consumer.wake.set()

    def _apply(self, request: Any) -> None:
        is_exactly_once = self._subscription.message.enable_exactly_once_delivery
        ids = list(request.ack_ids)
        if ids:
            late = self._subscription.acknowledge(ids)
            if is_exactly_once:
                self._confirm(acknowledge_confirmation(ids, late))
        if len(request.modify_deadline_seconds) != len(request.modify_deadline_ack_ids):
            raise ApiError("INVALID_ARGUMENT", "modify_deadline_seconds and modify_deadline_ack_ids differ in length.")
        late = []
        for lease_seconds, ack_id in zip(request.modify_deadline_seconds, request.modify_deadline_ack_ids, strict=True):
            check_deadline(lease_seconds)
            late += self._subscription.modify_deadline([ack_id], lease_seconds)
        if is_exactly_once and request.modify_deadline_ack_ids:
            self._confirm(deadline_confirmation(list(request.modify_deadline_ack_ids), late))

    def _confirm(self, confirmation: Any) -> None:
        self._confirmations.append(confirmation)
        self._consumer.wake.set()

    def _answer(self, messages: Any) -> Any:
        answer = StreamingPullResponse(received_messages=messages)
        subscription = self._subscription.message
        answer.subscription_properties.message_ordering_enabled = subscription.enable_message_ordering
        answer.subscription_properties.exactly_once_delivery_enabled = subscription.enable_exactly_once_delivery
        return answer


def _stream_deadline(lease_seconds: int) -> int:
    if not 10 <= lease_seconds <= 600:
        message = f"Invalid stream_ack_deadline_seconds given: {lease_seconds}. It must be between 10 and 600."
        raise ApiError("INVALID_ARGUMENT", message)
    return lease_seconds
