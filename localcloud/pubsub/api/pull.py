"""Pull, and the checks and messages that it shares with StreamingPull."""

import asyncio
from collections.abc import Iterable
from typing import Any

from localcloud.errors import ApiError
from localcloud.pubsub.api.subscriptions import check_attached
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.messages import PullResponse
from localcloud.pubsub.model import Consumer, Delivery
from localcloud.pubsub.rules import names

#: Longest wait for a first message: shorter than the timeout of any client.
PULL_WAIT_SECONDS = 5.0
MAX_PULL_MESSAGES = 1000


async def pull(broker: Broker, request: Any) -> Any:
    """Pull. Without ready messages it waits for the first one, unless `return_immediately` is set."""
    subscription = broker.subscription(request.subscription)
    check_pullable(subscription)
    subscription.usage.touch()
    if request.max_messages <= 0:
        raise ApiError("INVALID_ARGUMENT", "max_messages must be greater than 0.")
    consumer = Consumer()
    taken = _take(subscription, consumer, request.max_messages)
    if not taken and not request.return_immediately:
        taken = await _wait(subscription, consumer, request.max_messages)
    return PullResponse(received_messages=received_messages(subscription, taken))


def received_messages(subscription: Subscription, deliveries: list[Delivery]) -> Iterable[Any]:
    """The ReceivedMessages of an answer."""
    received = PullResponse().received_messages
    counts = subscription.counts_attempts
    for delivery in deliveries:
        message = received.add(ack_id=subscription.ack_id(delivery))
        message.message.CopyFrom(subscription.content(delivery))
        if counts:
            message.delivery_attempt = delivery.attempts
    return received  # type: ignore[no-any-return]


def check_pullable(subscription: Subscription) -> None:
    """Raise `ApiError` for a deleted (NOT_FOUND), detached or push subscription (FAILED_PRECONDITION)."""
    if subscription.is_deleted:
        raise names.not_found(subscription.message.name)
    check_attached(subscription)
    if subscription.is_push:
        raise ApiError("FAILED_PRECONDITION", "This method is not supported for this subscription type.")


async def _wait(subscription: Subscription, consumer: Consumer, max_messages: int) -> list[Delivery]:
    subscription.consumers.append(consumer)
    try:
        async with asyncio.timeout(PULL_WAIT_SECONDS):
            while True:
                await consumer.wake.wait()
                consumer.wake.clear()
                check_pullable(subscription)
                if taken := _take(subscription, consumer, max_messages):
                    return taken
    except TimeoutError:
        return []
    finally:
        subscription.consumers.remove(consumer)


def _take(subscription: Subscription, consumer: Consumer, max_messages: int) -> list[Delivery]:
    lease_seconds = subscription.message.ack_deadline_seconds
    return subscription.take(consumer, min(max_messages, MAX_PULL_MESSAGES), lease_seconds)
