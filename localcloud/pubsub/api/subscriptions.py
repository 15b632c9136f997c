"""Subscriptions: create, update, get, list, delete, detach."""

from typing import Any

from localcloud.errors import ApiError
from localcloud.protobuf import copy
from localcloud.pubsub.api.paging import page_of_project
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.messages import DetachSubscriptionResponse, Empty, ListSubscriptionsResponse
from localcloud.pubsub.rules import subscriptions as rules


async def create(broker: Broker, request: Any) -> Any:
    """CreateSubscription."""
    subscription = rules.new(request)
    _check_dead_letter_topic(broker, subscription)
    broker.add_subscription(subscription)
    return subscription


async def update(broker: Broker, request: Any) -> Any:
    """UpdateSubscription."""
    subscription = broker.subscription(request.subscription.name)
    message = rules.updated(subscription.message, request)
    if message.dead_letter_policy != subscription.message.dead_letter_policy:
        _check_dead_letter_topic(broker, message)
    broker.save_subscription(subscription, message)
    return subscription.message


async def get(broker: Broker, request: Any) -> Any:
    """GetSubscription."""
    return _with_topic_retention(broker, broker.subscription(request.subscription))


async def list_(broker: Broker, request: Any) -> Any:
    """ListSubscriptions."""
    found, token = page_of_project(broker.subscriptions, "subscriptions", request)
    shown = [_with_topic_retention(broker, subscription) for subscription in found]
    return ListSubscriptionsResponse(subscriptions=shown, next_page_token=token)


async def delete(broker: Broker, request: Any) -> Any:
    """DeleteSubscription."""
    broker.remove_subscription(request.subscription)
    return Empty()


async def detach(broker: Broker, request: Any) -> Any:
    """DetachSubscription, a method of google.pubsub.v1.Publisher."""
    broker.detach(broker.subscription(request.subscription))
    return DetachSubscriptionResponse()


async def modify_push_config(broker: Broker, request: Any) -> Any:
    """ModifyPushConfig."""
    subscription = broker.subscription(request.subscription)
    message = rules.with_push_config(subscription.message, request.push_config)
    broker.save_subscription(subscription, message)
    return Empty()


def check_attached(subscription: Subscription) -> None:
    """Raise `ApiError` (FAILED_PRECONDITION) for a detached subscription."""
    if subscription.message.detached:
        raise ApiError("FAILED_PRECONDITION", "The subscription is detached from its topic.")


def _check_dead_letter_topic(broker: Broker, message: Any) -> None:
    """Raise NOT_FOUND if the topic does not exist (pubsub.proto, DeadLetterPolicy). It may be deleted later."""
    if message.HasField("dead_letter_policy"):
        broker.topic(message.dead_letter_policy.dead_letter_topic)


def _with_topic_retention(broker: Broker, subscription: Subscription) -> Any:
    topic = broker.topics.get(subscription.message.topic)
    if topic is None or not topic.message.HasField("message_retention_duration"):
        return subscription.message
    shown = copy(subscription.message)
    shown.topic_message_retention_duration.CopyFrom(topic.message.message_retention_duration)
    return shown
