"""Topics and snapshots with what they keep."""

from dataclasses import dataclass, field
from typing import Any

from localcloud.pubsub.data.archive import Archive
from localcloud.pubsub.delivery.subscription import Subscription


@dataclass(slots=True)
class Snapshot:
    """A snapshot with its serialized IAM policy; its archive is the backlog as it was, and all that came since."""

    message: Any
    archive: Archive
    policy: bytes = b""


@dataclass(slots=True)
class Topic:
    """A topic with its serialized IAM policy and those who listen."""

    message: Any
    archive: Archive
    policy: bytes = b""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)

    @property
    def archives(self) -> list[Archive]:
        """All that keep what is published from now on."""
        kept = [snapshot.archive for snapshot in self.snapshots.values()]
        return [self.archive, *kept] if self.message.HasField("message_retention_duration") else kept
