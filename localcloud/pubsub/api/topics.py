"""Topics: the methods of google.pubsub.v1.Publisher, except DetachSubscription."""

from typing import Any

from localcloud.pubsub.api.paging import page, page_of_project
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import (
    Empty,
    ListTopicSnapshotsResponse,
    ListTopicsResponse,
    ListTopicSubscriptionsResponse,
    PublishResponse,
)
from localcloud.pubsub.rules import messages as message_rules
from localcloud.pubsub.rules import topics as rules


async def create(broker: Broker, request: Any) -> Any:
    """CreateTopic."""
    topic = rules.new(request)
    broker.add_topic(topic)
    return topic


async def update(broker: Broker, request: Any) -> Any:
    """UpdateTopic."""
    topic = broker.topic(request.topic.name)
    topic.message = rules.updated(topic.message, request)
    if not topic.message.HasField("message_retention_duration"):
        topic.archive.clear()
    broker.save_topic(topic)
    return topic.message


async def get(broker: Broker, request: Any) -> Any:
    """GetTopic."""
    return broker.topic(request.topic).message


async def list_(broker: Broker, request: Any) -> Any:
    """ListTopics."""
    found, token = page_of_project(broker.topics, "topics", request)
    return ListTopicsResponse(topics=[topic.message for topic in found], next_page_token=token)


async def list_subscriptions(broker: Broker, request: Any) -> Any:
    """ListTopicSubscriptions."""
    found, token = page(broker.topic(request.topic).subscriptions, request.page_size, request.page_token)
    return ListTopicSubscriptionsResponse(subscriptions=found, next_page_token=token)


async def list_snapshots(broker: Broker, request: Any) -> Any:
    """ListTopicSnapshots."""
    found, token = page(broker.topic(request.topic).snapshots, request.page_size, request.page_token)
    return ListTopicSnapshotsResponse(snapshots=found, next_page_token=token)


async def delete(broker: Broker, request: Any) -> Any:
    """DeleteTopic."""
    broker.remove_topic(request.topic)
    return Empty()


async def publish(broker: Broker, request: Any, body: bytes | None = None) -> Any:
    """Publish. `body` is the request as it was received."""
    broker.topic(request.topic)
    message_rules.check_publish(request, len(body) if body else request.ByteSize())
    return PublishResponse(message_ids=map(str, await broker.publish(request, body)))
