"""Where a subscription stands in time: at a snapshot, or at a moment of which everything since was kept."""

from collections.abc import Iterable

from localcloud.errors import ApiError
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.delivery.topic import Snapshot
from localcloud.pubsub.model import Message


def seek_to_snapshot(broker: Broker, subscription: Subscription, snapshot: Snapshot) -> None:
    """Let the subscription stand where the snapshot was taken; raises FAILED_PRECONDITION for another topic's."""
    if snapshot.message.topic != subscription.message.topic:
        message = f"The snapshot's topic {snapshot.message.topic} is not the subscription's, {subscription.message.topic}."
        raise ApiError("FAILED_PRECONDITION", message)
    broker.flush()
    subscription.seek(_matching(subscription, snapshot.archive.messages.values()))


def seek_to_time(broker: Broker, subscription: Subscription, microseconds: int) -> None:
    """Let the subscription have acknowledged what was published before that time, and nothing that was kept since."""
    kept = subscription.unacknowledged() + list(subscription.archive.messages.values())
    if topic := broker.topics.get(subscription.message.topic):
        kept += topic.archive.messages.values()
    later = [message for message in kept if message.published_microseconds >= microseconds]
    subscription.seek(_matching(subscription, later))


def _matching(subscription: Subscription, kept: Iterable[Message]) -> dict[int, Message]:
    return {message.id: message for message in kept if subscription.accepts_kept(message)}
