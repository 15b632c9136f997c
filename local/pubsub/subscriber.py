"""The methods of google.pubsub.v1.Subscriber, but for StreamingPull: protobuf messages in, protobuf messages out."""

import asyncio
from collections.abc import Iterable
from typing import Any

from local.errors import ApiError
from local.pubsub import names, subscription_rules
from local.pubsub.broker import Broker
from local.pubsub.messages import Empty, ListSubscriptionsResponse, PullResponse
from local.pubsub.model import Consumer, Delivery
from local.pubsub.pages import page
from local.pubsub.subscription import Subscription

#: How long a pull waits for a first message: less than any client waits for an answer.
PULL_WAIT_SECONDS = 5.0
MAX_PULL_MESSAGES = 1000


class Subscriber:
    """Subscriptions, pulling and acknowledging."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create_subscription(self, request: Any) -> Any:
        """CreateSubscription."""
        subscription = subscription_rules.new(request)
        self._broker.add_subscription(subscription)
        return subscription

    async def get_subscription(self, request: Any) -> Any:
        """GetSubscription."""
        return self._broker.subscription(request.subscription).message

    async def update_subscription(self, request: Any) -> Any:
        """UpdateSubscription."""
        subscription = self._broker.subscription(request.subscription.name)
        self._broker.save_subscription(subscription, subscription_rules.updated(subscription.message, request))
        return subscription.message

    async def list_subscriptions(self, request: Any) -> Any:
        """ListSubscriptions."""
        names.check_project(request.project)
        prefix = f"{request.project}/subscriptions/"
        chosen = (name for name in self._broker.subscriptions if name.startswith(prefix))
        found, token = page(chosen, request.page_size, request.page_token)
        subscriptions = [self._broker.subscriptions[name].message for name in found]
        return ListSubscriptionsResponse(subscriptions=subscriptions, next_page_token=token)

    async def delete_subscription(self, request: Any) -> Any:
        """DeleteSubscription."""
        self._broker.remove_subscription(request.subscription)
        return Empty()

    async def modify_push_config(self, request: Any) -> Any:
        """ModifyPushConfig."""
        subscription = self._broker.subscription(request.subscription)
        message = subscription_rules.with_push_config(subscription.message, request.push_config)
        self._broker.save_subscription(subscription, message)
        return Empty()

    async def acknowledge(self, request: Any) -> Any:
        """Acknowledge."""
        subscription = self._broker.subscription(request.subscription)
        subscription.acknowledge(require_ack_ids(request.ack_ids))
        await self._broker.committed()
        return Empty()

    async def modify_ack_deadline(self, request: Any) -> Any:
        """ModifyAckDeadline."""
        subscription = self._broker.subscription(request.subscription)
        check_deadline(request.ack_deadline_seconds)
        subscription.modify_deadline(require_ack_ids(request.ack_ids), request.ack_deadline_seconds)
        return Empty()

    async def pull(self, request: Any) -> Any:
        """Pull: at once what is there, or the first message that comes."""
        subscription = self._broker.subscription(request.subscription)
        check_pullable(subscription)
        if request.max_messages <= 0:
            raise ApiError("INVALID_ARGUMENT", "max_messages must be greater than 0.")
        consumer = Consumer()
        taken = self._take(subscription, consumer, request.max_messages)
        if not taken and not request.return_immediately:
            taken = await self._wait(subscription, consumer, request.max_messages)
        return PullResponse(received_messages=received(subscription, taken))

    async def _wait(self, subscription: Subscription, consumer: Consumer, max_messages: int) -> list[Delivery]:
        subscription.consumers.append(consumer)
        try:
            async with asyncio.timeout(PULL_WAIT_SECONDS):
                while True:
                    await consumer.wake.wait()
                    consumer.wake.clear()
                    check_pullable(subscription)
                    if taken := self._take(subscription, consumer, max_messages):
                        return taken
        except TimeoutError:
            return []
        finally:
            subscription.consumers.remove(consumer)

    def _take(self, subscription: Subscription, consumer: Consumer, max_messages: int) -> list[Delivery]:
        lease_seconds = subscription.message.ack_deadline_seconds
        return subscription.take(consumer, min(max_messages, MAX_PULL_MESSAGES), lease_seconds)


def received(subscription: Subscription, deliveries: list[Delivery]) -> Iterable[Any]:
    """ReceivedMessages for an answer to a pull of either kind."""
    received_messages = PullResponse().received_messages
    counts = subscription.counts_attempts
    for delivery in deliveries:
        message = received_messages.add(ack_id=subscription.ack_id(delivery))
        message.message.MergeFromString(subscription.body(delivery))
        if counts:
            message.delivery_attempt = delivery.attempts
    return received_messages  # type: ignore[no-any-return]


def check_pullable(subscription: Subscription) -> None:
    """Refuse to pull from a subscription that is gone or pushes."""
    if subscription.is_deleted:
        name = names.last(subscription.message.name)
        raise ApiError("NOT_FOUND", f"Resource not found (resource={name}).")
    if subscription.is_push:
        raise ApiError("FAILED_PRECONDITION", "This method is not supported for this subscription type.")


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
