"""The methods of google.pubsub.v1.Publisher: protobuf messages in, protobuf messages out."""

from typing import Any

from localcloud.pubsub.api.pages import page
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import (
    DetachSubscriptionResponse,
    Empty,
    ListTopicsResponse,
    ListTopicSubscriptionsResponse,
    PublishResponse,
)
from localcloud.pubsub.rules import names
from localcloud.pubsub.rules import publishing as publish_rules
from localcloud.pubsub.rules import topics as topic_rules


async def create_topic(broker: Broker, request: Any) -> Any:
    """CreateTopic."""
    topic = topic_rules.new(request)
    broker.add_topic(topic)
    return topic


async def update_topic(broker: Broker, request: Any) -> Any:
    """UpdateTopic."""
    topic = broker.topic(request.topic.name)
    topic.message = topic_rules.updated(topic.message, request)
    if not topic.message.HasField("message_retention_duration"):
        topic.archive.clear()
    broker.save_topic(topic)
    return topic.message


async def get_topic(broker: Broker, request: Any) -> Any:
    """GetTopic."""
    return broker.topic(request.topic).message


async def list_topics(broker: Broker, request: Any) -> Any:
    """ListTopics."""
    names.check_project(request.project)
    prefix = f"{request.project}/topics/"
    chosen = (name for name in broker.topics if name.startswith(prefix))
    found, token = page(chosen, request.page_size, request.page_token)
    topics = [broker.topics[name].message for name in found]
    return ListTopicsResponse(topics=topics, next_page_token=token)


async def list_topic_subscriptions(broker: Broker, request: Any) -> Any:
    """ListTopicSubscriptions."""
    topic = broker.topic(request.topic)
    found, token = page(topic.subscriptions, request.page_size, request.page_token)
    return ListTopicSubscriptionsResponse(subscriptions=found, next_page_token=token)


async def delete_topic(broker: Broker, request: Any) -> Any:
    """DeleteTopic."""
    broker.remove_topic(request.topic)
    return Empty()


async def detach_subscription(broker: Broker, request: Any) -> Any:
    """DetachSubscription."""
    broker.detach(broker.subscription(request.subscription))
    return DetachSubscriptionResponse()


async def publish(broker: Broker, request: Any) -> Any:
    """Publish."""
    broker.topic(request.topic)
    publish_rules.check(request)
    return PublishResponse(message_ids=map(str, await broker.publish(request)))
