"""Topics and snapshots in operation, and the fan-out of published messages to subscriptions and archives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from localcloud.pubsub.data.archive import Archive
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.subscription import Subscription


@dataclass(slots=True)
class Snapshot:
    """A snapshot and its serialized IAM policy. Its archive has the backlog at its creation and every later message."""

    message: Any
    archive: Archive
    policy: bytes = b""


@dataclass(slots=True)
class Topic:
    """A topic, its serialized IAM policy, its attached subscriptions and its snapshots."""

    message: Any
    archive: Archive
    policy: bytes = b""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)

    @property
    def archives(self) -> list[Archive]:
        """The archives that retain new messages."""
        archives = [snapshot.archive for snapshot in self.snapshots.values()]
        return [self.archive, *archives] if self.message.HasField("message_retention_duration") else archives


def fan_out(topic: Topic, request: Any, store: Store, body: bytes | None = None) -> Sequence[int]:
    """Store the messages of a PublishRequest once and offer them after the commit. Returns their ids.

    `body` is the request as it was received. Messages without a recipient are cleared in the request.
    """
    contents, archives = request.messages, topic.archives
    ids = store.next_ids(len(contents))
    wanted = [(each, places) for each in topic.subscriptions.values() if (places := each.matching_places(contents))]
    if not wanted and not archives:
        return ids
    if not archives and _clear_others(contents, [places for _, places in wanted]):
        body = None
    batch = store.add_batch(ids[0], body or request.SerializeToString())
    if archives:
        messages = store.messages(batch)
        for archive in archives:
            archive.add(messages)
    for subscription, places in wanted:
        store.add_deliveries(subscription.key, batch, places)
        store.journal.after_commit(partial(subscription.offer, batch, places))
    return ids


def _clear_others(contents: Any, wanted: list[Sequence[int]]) -> bool:
    """Clear the messages at no wanted place; the others keep their places. Returns whether there are any."""
    if any(len(places) == len(contents) for places in wanted):
        return False
    others = set(range(len(contents))).difference(*wanted)
    for place in others:
        contents[place].Clear()
    return bool(others)
