"""The methods of google.pubsub.v1.Publisher: protobuf messages in, protobuf messages out."""

from typing import Any

from local.pubsub import names, publish_rules, topic_rules
from local.pubsub.broker import Broker
from local.pubsub.messages import (
    Empty,
    ListTopicsResponse,
    ListTopicSubscriptionsResponse,
    PublishResponse,
)
from local.pubsub.pages import page


class Publisher:
    """Topics and publishing."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create_topic(self, request: Any) -> Any:
        """CreateTopic."""
        topic = topic_rules.new(request)
        self._broker.add_topic(topic)
        return topic

    async def update_topic(self, request: Any) -> Any:
        """UpdateTopic."""
        topic = self._broker.topic(request.topic.name)
        topic.message = topic_rules.updated(topic.message, request)
        self._broker.save_topic(topic)
        return topic.message

    async def get_topic(self, request: Any) -> Any:
        """GetTopic."""
        return self._broker.topic(request.topic).message

    async def list_topics(self, request: Any) -> Any:
        """ListTopics."""
        names.check_project(request.project)
        prefix = f"{request.project}/topics/"
        chosen = (name for name in self._broker.topics if name.startswith(prefix))
        found, token = page(chosen, request.page_size, request.page_token)
        topics = [self._broker.topics[name].message for name in found]
        return ListTopicsResponse(topics=topics, next_page_token=token)

    async def list_topic_subscriptions(self, request: Any) -> Any:
        """ListTopicSubscriptions."""
        topic = self._broker.topic(request.topic)
        found, token = page(topic.subscriptions, request.page_size, request.page_token)
        return ListTopicSubscriptionsResponse(subscriptions=found, next_page_token=token)

    async def delete_topic(self, request: Any) -> Any:
        """DeleteTopic."""
        self._broker.remove_topic(request.topic)
        return Empty()

    async def publish(self, request: Any) -> Any:
        """Publish."""
        self._broker.topic(request.topic)
        publish_rules.check(request.messages)
        return PublishResponse(message_ids=await self._broker.publish(request.topic, request.messages))
