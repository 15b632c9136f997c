"""The methods of google.pubsub.v1.Subscriber, but for StreamingPull: protobuf messages in, protobuf messages out."""

import asyncio
from collections.abc import Iterable
from typing import Any

from localcloud.errors import ApiError
from localcloud.pubsub.api import exactly_once
from localcloud.pubsub.api.pages import page
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.messages import Empty, ListSubscriptionsResponse, PullResponse, copy
from localcloud.pubsub.model import Consumer, Delivery
from localcloud.pubsub.rules import names
from localcloud.pubsub.rules import subscriptions as subscription_rules

#: How long a pull waits for a first message: less than any client waits for an answer.
PULL_WAIT_SECONDS = 5.0
MAX_PULL_MESSAGES = 1000


async def create_subscription(broker: Broker, request: Any) -> Any:
    """CreateSubscription."""
    subscription = subscription_rules.new(request)
    _check_dead_letter_topic(broker, subscription)
    broker.add_subscription(subscription)
    return subscription


async def get_subscription(broker: Broker, request: Any) -> Any:
    """GetSubscription."""
    return _shown(broker, broker.subscription(request.subscription))


async def update_subscription(broker: Broker, request: Any) -> Any:
    """UpdateSubscription."""
    subscription = broker.subscription(request.subscription.name)
    message = subscription_rules.updated(subscription.message, request)
    if message.dead_letter_policy != subscription.message.dead_letter_policy:
        _check_dead_letter_topic(broker, message)
    broker.save_subscription(subscription, message)
    return subscription.message


async def list_subscriptions(broker: Broker, request: Any) -> Any:
    """ListSubscriptions."""
    names.check_project(request.project)
    prefix = f"{request.project}/subscriptions/"
    chosen = (name for name in broker.subscriptions if name.startswith(prefix))
    found, token = page(chosen, request.page_size, request.page_token)
    subscriptions = [_shown(broker, broker.subscriptions[name]) for name in found]
    return ListSubscriptionsResponse(subscriptions=subscriptions, next_page_token=token)


async def delete_subscription(broker: Broker, request: Any) -> Any:
    """DeleteSubscription."""
    broker.remove_subscription(request.subscription)
    return Empty()


async def modify_push_config(broker: Broker, request: Any) -> Any:
    """ModifyPushConfig."""
    subscription = broker.subscription(request.subscription)
    message = subscription_rules.with_push_config(subscription.message, request.push_config)
    broker.save_subscription(subscription, message)
    return Empty()


async def acknowledge(broker: Broker, request: Any) -> Any:
    """Acknowledge."""
    subscription = broker.subscription(request.subscription)
    ack_ids = require_ack_ids(request.ack_ids)
    exactly_once.refuse_too_many(subscription.late(ack_ids))
    refused = subscription.acknowledge(ack_ids)
    await broker.committed()
    exactly_once.refuse(refused)
    return Empty()


async def modify_ack_deadline(broker: Broker, request: Any) -> Any:
    """ModifyAckDeadline."""
    subscription = broker.subscription(request.subscription)
    check_deadline(request.ack_deadline_seconds)
    ack_ids = require_ack_ids(request.ack_ids)
    if request.ack_deadline_seconds == 0:
        exactly_once.refuse_too_many(subscription.late(ack_ids))
    over = subscription.modify_deadline(ack_ids, request.ack_deadline_seconds)
    if subscription.message.enable_exactly_once_delivery:
        exactly_once.refuse(over)
    return Empty()


async def pull(broker: Broker, request: Any) -> Any:
    """Pull: at once what is there, or the first message that comes."""
    subscription = broker.subscription(request.subscription)
    check_pullable(subscription)
    subscription.usage.note()
    if request.max_messages <= 0:
        raise ApiError("INVALID_ARGUMENT", "max_messages must be greater than 0.")
    consumer = Consumer()
    taken = _take(subscription, consumer, request.max_messages)
    if not taken and not request.return_immediately:
        taken = await _wait(subscription, consumer, request.max_messages)
    return PullResponse(received_messages=received(subscription, taken))


def _check_dead_letter_topic(broker: Broker, message: Any) -> None:
    """NOT_FOUND where there is no such topic (pubsub.proto, DeadLetterPolicy); one that is deleted later is no fault."""
    if message.HasField("dead_letter_policy"):
        broker.topic(message.dead_letter_policy.dead_letter_topic)


def _shown(broker: Broker, subscription: Subscription) -> Any:
    """The subscription, and how long its topic keeps messages for it."""
    topic = broker.topics.get(subscription.message.topic)
    if topic is None or not topic.message.HasField("message_retention_duration"):
        return subscription.message
    shown = copy(subscription.message)
    shown.topic_message_retention_duration.CopyFrom(topic.message.message_retention_duration)
    return shown


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


def received(subscription: Subscription, deliveries: list[Delivery]) -> Iterable[Any]:
    """ReceivedMessages for an answer to a pull of either kind."""
    received_messages = PullResponse().received_messages
    counts = subscription.counts_attempts
    for delivery in deliveries:
        message = received_messages.add(ack_id=subscription.ack_id(delivery))
        message.message.CopyFrom(subscription.content(delivery))
        if counts:
            message.delivery_attempt = delivery.attempts
    return received_messages  # type: ignore[no-any-return]


def check_pullable(subscription: Subscription) -> None:
    """Refuse to pull from a subscription that is gone or pushes."""
    if subscription.is_deleted:
        name = names.last(subscription.message.name)
        raise ApiError("NOT_FOUND", f"Resource not found (resource={name}).")
    check_attached(subscription)
    if subscription.is_push:
        raise ApiError("FAILED_PRECONDITION", "This method is not supported for this subscription type.")


def check_attached(subscription: Subscription) -> None:
    """Refuse to read from a subscription that was detached."""
    if subscription.message.detached:
        raise ApiError("FAILED_PRECONDITION", "The subscription is detached from its topic.")


def check_deadline(lease_seconds: int) -> None:
    """Refuse a deadline that no message may have; 0 means to give it back."""
    if not 0 <= lease_seconds <= 600:
        message = f"Invalid ack deadline given (ack_deadline_seconds={lease_seconds}): it must be between 0 and 600."
        raise ApiError("INVALID_ARGUMENT", message)


def require_ack_ids(ack_ids: Iterable[str]) -> list[str]:
    """The ids as a list; refuses to do something to nothing."""
    required = list(ack_ids)
    if not required:
        raise ApiError("INVALID_ARGUMENT", "No ack ids specified.")
    return required
