"""The methods of google.pubsub.v1.Subscriber that go back in time: snapshots and Seek."""

from typing import Any

from localcloud.errors import ApiError
from localcloud.pubsub.api.pages import page
from localcloud.pubsub.api.seeking import seek_to_snapshot, seek_to_time
from localcloud.pubsub.api.subscriber import check_attached
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import Empty, ListSnapshotsResponse, ListTopicSnapshotsResponse, SeekResponse, microseconds
from localcloud.pubsub.rules import names
from localcloud.pubsub.rules import snapshots as snapshot_rules


async def create_snapshot(broker: Broker, request: Any) -> Any:
    """CreateSnapshot."""
    names.check(request.name, "snapshots")
    subscription = broker.subscription(request.subscription)
    check_attached(subscription)
    backlog = subscription.unacknowledged()
    now = broker.clock.time()
    oldest = min((message.published_microseconds / 1_000_000 for message in backlog), default=now)
    snapshot = snapshot_rules.new(request, subscription.message.topic, oldest, now)
    broker.add_snapshot(snapshot, backlog)
    await broker.committed()
    return snapshot


async def get_snapshot(broker: Broker, request: Any) -> Any:
    """GetSnapshot."""
    return broker.snapshot(request.snapshot).message


async def list_snapshots(broker: Broker, request: Any) -> Any:
    """ListSnapshots."""
    names.check_project(request.project)
    prefix = f"{request.project}/snapshots/"
    chosen = (name for name in broker.snapshots if name.startswith(prefix))
    found, token = page(chosen, request.page_size, request.page_token)
    snapshots = [broker.snapshots[name].message for name in found]
    return ListSnapshotsResponse(snapshots=snapshots, next_page_token=token)


async def list_topic_snapshots(broker: Broker, request: Any) -> Any:
    """ListTopicSnapshots, a method of google.pubsub.v1.Publisher."""
    found, token = page(broker.topic(request.topic).snapshots, request.page_size, request.page_token)
    return ListTopicSnapshotsResponse(snapshots=found, next_page_token=token)


async def update_snapshot(broker: Broker, request: Any) -> Any:
    """UpdateSnapshot."""
    snapshot = broker.snapshot(request.snapshot.name)
    snapshot.message = snapshot_rules.updated(snapshot.message, request, broker.clock.time())
    broker.save_snapshot(snapshot)
    return snapshot.message


async def delete_snapshot(broker: Broker, request: Any) -> Any:
    """DeleteSnapshot."""
    broker.remove_snapshot(request.snapshot)
    return Empty()


async def seek(broker: Broker, request: Any) -> Any:
    """Seek: the subscription has acknowledged what the snapshot or the time says, and nothing else."""
    subscription = broker.subscription(request.subscription)
    check_attached(subscription)
    target = request.WhichOneof("target")
    if target is None:
        message = "No target was specified in the SeekRequest. Must specify either a time or a snapshot."
        raise ApiError("INVALID_ARGUMENT", message)
    if target == "snapshot":
        seek_to_snapshot(broker, subscription, broker.snapshot(request.snapshot))
    else:
        seek_to_time(broker, subscription, microseconds(request.time))
    return SeekResponse()
