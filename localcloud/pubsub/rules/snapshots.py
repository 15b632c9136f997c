"""Snapshots: checks, and their life of at most a week (google/pubsub/v1/pubsub.proto, message Snapshot)."""

from typing import Any

from localcloud.errors import ApiError
from localcloud.protobuf import microseconds
from localcloud.pubsub.messages import Snapshot
from localcloud.pubsub.rules import masks, names

LIFE_SECONDS = 7 * 86_400
#: A snapshot with a shorter life than this is refused: its backlog is too old.
MIN_LIFE_SECONDS = 3_600

MUTABLE = ("labels", "expire_time")


def new(request: Any, topic: str, oldest: float, now: float) -> Any:
    """The snapshot to create. `oldest` is the publish time of the oldest unacknowledged message, else `now`.

    Times are in seconds since the epoch. Raises INVALID_ARGUMENT, UNIMPLEMENTED or FAILED_PRECONDITION.
    """
    names.check(request.name, "snapshots")
    masks.refuse_unsupported(request, ("tags",))
    names.check_labels(request.labels)
    life = LIFE_SECONDS - (now - oldest)
    if life < MIN_LIFE_SECONDS:
        message = "The subscription's backlog is too old: the snapshot would expire in less than an hour."
        raise ApiError("FAILED_PRECONDITION", message)
    snapshot = Snapshot(name=request.name, topic=topic, labels=request.labels)
    snapshot.expire_time.FromMilliseconds(int((now + life) * 1000))
    return snapshot


def updated(stored: Any, request: Any, now: float) -> Any:
    """The snapshot after an UpdateSnapshotRequest. Raises INVALID_ARGUMENT."""
    snapshot = masks.merged(stored, request.snapshot, request.update_mask, MUTABLE)
    names.check_labels(snapshot.labels)
    if microseconds(snapshot.expire_time) <= now * 1_000_000:
        raise ApiError("INVALID_ARGUMENT", "Invalid expire_time given: it must be in the future.")
    return snapshot
