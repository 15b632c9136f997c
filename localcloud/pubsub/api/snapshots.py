"""Snapshots, and Seek to a snapshot or a time."""

from typing import Any

from localcloud.errors import ApiError
from localcloud.protobuf import microseconds
from localcloud.pubsub.api.paging import page_of_project
from localcloud.pubsub.api.subscriptions import check_attached
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.delivery.topic import Snapshot
from localcloud.pubsub.messages import Empty, ListSnapshotsResponse, SeekResponse
from localcloud.pubsub.rules import names
from localcloud.pubsub.rules import snapshots as rules


async def create(broker: Broker, request: Any) -> Any:
    """CreateSnapshot."""
    names.check(request.name, "snapshots")
    subscription = broker.subscription(request.subscription)
    check_attached(subscription)
    backlog = subscription.unacknowledged()
    now = broker.clock.time()
    oldest = min((message.published_microseconds / 1_000_000 for message in backlog), default=now)
    snapshot = rules.new(request, subscription.message.topic, oldest, now)
    broker.add_snapshot(snapshot, backlog)
    await broker.committed()
    return snapshot


async def get(broker: Broker, request: Any) -> Any:
    """GetSnapshot."""
    return broker.snapshot(request.snapshot).message


async def list_(broker: Broker, request: Any) -> Any:
    """ListSnapshots."""
    found, token = page_of_project(broker.snapshots, "snapshots", request)
    return ListSnapshotsResponse(snapshots=[snapshot.message for snapshot in found], next_page_token=token)


async def update(broker: Broker, request: Any) -> Any:
    """UpdateSnapshot."""
    snapshot = broker.snapshot(request.snapshot.name)
    snapshot.message = rules.updated(snapshot.message, request, broker.clock.time())
    broker.save_snapshot(snapshot)
    return snapshot.message


async def delete(broker: Broker, request: Any) -> Any:
    """DeleteSnapshot."""
    broker.remove_snapshot(request.snapshot)
    return Empty()


async def seek(broker: Broker, request: Any) -> Any:
    """Seek."""
    subscription = broker.subscription(request.subscription)
    check_attached(subscription)
    target = request.WhichOneof("target")
    if target is None:
        message = "No target was specified in the SeekRequest. Must specify either a time or a snapshot."
        raise ApiError("INVALID_ARGUMENT", message)
    if target == "snapshot":
        _seek_to_snapshot(subscription, broker.snapshot(request.snapshot))
    else:
        _seek_to_time(broker, subscription, microseconds(request.time))
    return SeekResponse()


def _seek_to_snapshot(subscription: Subscription, snapshot: Snapshot) -> None:
    """Replace the backlog by the snapshot's messages. Raises FAILED_PRECONDITION for another topic's snapshot."""
    if snapshot.message.topic != subscription.message.topic:
        message = f"The snapshot's topic {snapshot.message.topic} is not the subscription's, {subscription.message.topic}."
        raise ApiError("FAILED_PRECONDITION", message)
    subscription.seek(snapshot.archive.messages.values())


def _seek_to_time(broker: Broker, subscription: Subscription, microseconds: int) -> None:
    """Acknowledge everything published before that time, and replay every retained message published since."""
    retained = subscription.unacknowledged() + list(subscription.archive.messages.values())
    if topic := broker.topics.get(subscription.message.topic):
        retained += topic.archive.messages.values()
    subscription.seek(message for message in retained if message.published_microseconds >= microseconds)
