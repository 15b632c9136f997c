"""The broker: all topics, subscriptions and snapshots, and the publishing of messages to them."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from localcloud.clock import Clock
from localcloud.protobuf import copy
from localcloud.pubsub.data.archive import Archive
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.delivery.topic import Snapshot, Topic, fan_out
from localcloud.pubsub.messages import PublishRequest
from localcloud.pubsub.model import Delivery, Message
from localcloud.pubsub.rules import messages as message_rules
from localcloud.pubsub.rules import names

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Called with a topic's full name and a function that publishes one message, before that message is published. False: the hook
#: took the message over and calls the function itself, at any time and any number of times.
PublishHook = Callable[[str, Callable[[], Awaitable[None]]], Awaitable[bool]]


class Broker:
    """All topics, subscriptions and snapshots by full name. `on_change` is called for each changed subscription."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.on_change: Callable[[Subscription], None] = lambda _: None
        self.publish_hook: PublishHook | None = None
        self._store = store
        self.clock = clock
        self._restore()

    def start(self) -> None:
        """Begin delivery, including messages that were unacknowledged when the process last ended."""
        for subscription in self.subscriptions.values():
            subscription.start()
            self.on_change(subscription)

    def stop(self) -> None:
        """Stop watching deadlines."""
        for subscription in self.subscriptions.values():
            subscription.stop()

    def topic(self, name: str) -> Topic:
        """The topic of that name. Raises NOT_FOUND or INVALID_ARGUMENT."""
        return _find(self.topics, name, "topics")

    def subscription(self, name: str) -> Subscription:
        """The subscription of that name. Raises NOT_FOUND or INVALID_ARGUMENT."""
        return _find(self.subscriptions, name, "subscriptions")

    def snapshot(self, name: str) -> Snapshot:
        """The snapshot of that name. Raises NOT_FOUND or INVALID_ARGUMENT."""
        return _find(self.snapshots, name, "snapshots")

    def add_topic(self, message: Any) -> None:
        """Add a topic. Raises ALREADY_EXISTS."""
        if message.name in self.topics:
            raise names.already_exists(message.name)
        self._store.save_topic(message, b"")
        self.topics[message.name] = Topic(message, Archive(message.name, self._store))

    def save_topic(self, topic: Topic) -> None:
        """Save a changed topic."""
        self._store.save_topic(topic.message, topic.policy)

    def remove_topic(self, name: str) -> None:
        """Delete a topic. Its subscriptions and snapshots remain, with their messages."""
        topic = self.topic(name)
        topic.archive.clear()
        self._store.remove_topic(name)
        del self.topics[name]
        for snapshot in topic.snapshots.values():
            snapshot.message.topic = names.DELETED_TOPIC
            self.save_snapshot(snapshot)
        for subscription in topic.subscriptions.values():
            message = copy(subscription.message)
            message.topic = names.DELETED_TOPIC
            self.save_subscription(subscription, message)

    def add_subscription(self, message: Any) -> None:
        """Add a subscription. Raises ALREADY_EXISTS, or NOT_FOUND for its topic."""
        if message.name in self.subscriptions:
            raise names.already_exists(message.name)
        topic = self.topic(message.topic)
        subscription = self._subscription(self._store.add_subscription(message), message)
        topic.subscriptions[message.name] = subscription
        self.on_change(subscription)

    def save_subscription(self, subscription: Subscription, message: Any) -> None:
        """Replace a subscription's settings, effective at once."""
        self._store.save_subscription(subscription.key, message, subscription.policy)
        subscription.message = message
        if not message.retain_acked_messages:
            subscription.archive.clear()
        subscription.wake_consumers()
        self.on_change(subscription)

    def remove_subscription(self, name: str) -> None:
        """Delete a subscription and its backlog."""
        subscription = self.subscription(name)
        subscription.delete()
        self._store.remove_subscription(subscription.key)
        del self.subscriptions[name]
        if topic := self.topics.get(subscription.message.topic):
            topic.subscriptions.pop(name, None)
        self.on_change(subscription)

    def detach(self, subscription: Subscription) -> None:
        """Detach a subscription from its topic and delete its backlog."""
        if topic := self.topics.get(subscription.message.topic):
            topic.subscriptions.pop(subscription.message.name, None)
        message = copy(subscription.message)
        message.detached = True
        self.save_subscription(subscription, message)
        subscription.clear()

    def add_snapshot(self, message: Any, backlog: list[Message]) -> None:
        """Add a snapshot, which retains these messages and all later ones of its topic. Raises ALREADY_EXISTS."""
        if message.name in self.snapshots:
            raise names.already_exists(message.name)
        self._store.save_snapshot(message, b"")
        snapshot = self._snapshot(message)
        snapshot.archive.add(backlog)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Save a changed snapshot."""
        self._store.save_snapshot(snapshot.message, snapshot.policy)

    def remove_snapshot(self, name: str) -> None:
        """Delete a snapshot and the messages that only it retains."""
        snapshot = self.snapshot(name)
        snapshot.archive.clear()
        self._store.remove_snapshot(name)
        del self.snapshots[name]
        if topic := self.topics.get(snapshot.message.topic):
            topic.snapshots.pop(name, None)

    def flush(self) -> None:
        """Commit all changes so far now."""
        self._store.journal.flush()

    async def committed(self) -> None:
        """Return when all changes so far are on disk."""
        await self._store.journal.committed()

    async def publish(self, request: Any, body: bytes | None = None) -> Sequence[int]:
        """Publish the messages of a PublishRequest, which may be changed. Returns their ids when they are on disk.

        `body` is the request as it was received. Raises `DiskFull`; a message that found no room in its commit is delivered when
        there is some.
        """
        topic = self.topic(request.topic)
        self._store.require_room()
        if self.publish_hook:
            ids: Sequence[int] = [await self._publish_hooked(topic, each, self.publish_hook) for each in request.messages]
        else:
            ids = fan_out(topic, request, self._store, body)
        await self.committed()
        return ids

    async def _publish_hooked(self, topic: Topic, message: Any, hook: PublishHook) -> int:
        request = PublishRequest(messages=[message])

        async def publish() -> None:
            fan_out(topic, request, self._store)
            await self.committed()

        is_ours = await hook(topic.message.name, publish)
        return (fan_out(topic, request, self._store) if is_ours else self._store.next_ids(1))[0]

    def _dead_letter(self, subscription: Subscription, delivery: Delivery) -> bool:
        """Publish to the dead-letter topic, in the commit that removes the delivery. False: the topic is missing."""
        name = subscription.message.dead_letter_policy.dead_letter_topic
        topic = self.topics.get(name)
        if topic is None:
            log.warning("dead-letter topic %s of %s not found", name, subscription.message.name)
            return False
        content = subscription.content(delivery)
        letter = message_rules.dead_letter(content, subscription.message.name, delivery.attempts)
        fan_out(topic, PublishRequest(messages=[letter]), self._store)
        return True

    def _restore(self) -> None:
        for stored in self._store.topics():
            archive = Archive(stored.message.name, self._store)
            self.topics[stored.message.name] = Topic(stored.message, archive, stored.policy)
        by_key = {}
        for stored in self._store.subscriptions():
            subscription = by_key[stored.key] = self._subscription(stored.key, stored.message)
            subscription.policy = stored.policy
            topic = self.topics.get(stored.message.topic)
            if topic and not stored.message.detached:
                topic.subscriptions[stored.message.name] = subscription
        for stored in self._store.snapshots():
            self._snapshot(stored.message).policy = stored.policy
        for key, time in self._store.activity().items():
            by_key[key].usage.restore(time)
        for key, lease in self._store.seeks().items():
            by_key[key].first_lease = lease
        self._restore_messages(by_key)

    def _restore_messages(self, subscriptions: dict[int, Subscription]) -> None:
        holders: list[Topic | Subscription | Snapshot] = [*self.topics.values(), *subscriptions.values()]
        archives = {holder.archive.name: holder.archive for holder in [*holders, *self.snapshots.values()]}
        for holding in self._store.holdings():
            if holding.archive:
                archives[holding.archive].restore(holding.message)
            else:
                subscriptions[holding.subscription].backlog.add(holding.message, holding.attempts)

    def _snapshot(self, message: Any) -> Snapshot:
        snapshot = self.snapshots[message.name] = Snapshot(message, Archive(message.name, self._store))
        if topic := self.topics.get(message.topic):
            topic.snapshots[message.name] = snapshot
        return snapshot

    def _subscription(self, key: int, message: Any) -> Subscription:
        subscription = Subscription(key, message, self._store, self.clock, self._dead_letter)
        self.subscriptions[message.name] = subscription
        return subscription


def _find(resources: dict[str, T], name: str, kind: str) -> T:
    resource = resources.get(name)
    if resource is None:
        names.check(name, kind)
        raise names.not_found(name)
    return resource
