"""What a message looks like once it is given up (Pub/Sub: "Dead-letter topics")."""

from typing import Any

from localcloud.pubsub.messages import PubsubMessage, rfc3339_milliseconds
from localcloud.pubsub.rules import names


def wrapped(message: Any, subscription: str, attempts: int) -> Any:
    """The message to publish to the dead-letter topic: the same content, and where it failed how often."""
    copy = PubsubMessage(data=message.data, attributes=message.attributes, ordering_key=message.ordering_key)
    source = {
        "DeliveryCount": str(attempts),
        "Subscription": names.last(subscription),
        "SubscriptionProject": names.project(subscription),
        "TopicPublishTime": rfc3339_milliseconds(message.publish_time, "+00:00"),
    }
    for key, value in source.items():
        copy.attributes[f"CloudPubSubDeadLetterSource{key}"] = value
    return copy
