"""Topics and subscriptions, and the way of a message from the one to the others."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.pubsub.data.archive import Archive
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery import dead_letter
from localcloud.pubsub.delivery.fanout import send
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.delivery.topic import Snapshot, Topic
from localcloud.pubsub.messages import PublishRequest, copy
from localcloud.pubsub.model import Delivery, Message
from localcloud.pubsub.rules import names

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Asked before a message is sent to a topic of that full name; False: it took the message over, to publish it when it likes.
Tamper = Callable[[str, Callable[[], Awaitable[None]]], Awaitable[bool]]


class Broker:
    """All topics, subscriptions and snapshots by full name. `on_change` is told of every new, changed or deleted subscription."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.on_change: Callable[[Subscription], None] = lambda _: None
        self.tamper: Tamper | None = None
        self._store = store
        self.clock = clock
        self._restore()

    def start(self) -> None:
        """Begin to deliver what was not acknowledged when the process last ended."""
        for subscription in self.subscriptions.values():
            subscription.start()
            self.on_change(subscription)

    def stop(self) -> None:
        """Let no time pass for any subscription."""
        for subscription in self.subscriptions.values():
            subscription.stop()

    def topic(self, name: str) -> Topic:
        """The topic of that name; raises NOT_FOUND."""
        return _found(self.topics, name, "topics")

    def subscription(self, name: str) -> Subscription:
        """The subscription of that name; raises NOT_FOUND."""
        return _found(self.subscriptions, name, "subscriptions")

    def snapshot(self, name: str) -> Snapshot:
        """The snapshot of that name; raises NOT_FOUND."""
        return _found(self.snapshots, name, "snapshots")

    def add_topic(self, message: Any) -> None:
        """Keep a new topic; raises ALREADY_EXISTS."""
        if message.name in self.topics:
            raise _exists(message.name)
        self._store.save_topic(message, b"")
        self.topics[message.name] = Topic(message, Archive(message.name, self._store))

    def save_topic(self, topic: Topic) -> None:
        """Keep the topic as it is now."""
        self._store.save_topic(topic.message, topic.policy)

    def remove_topic(self, name: str) -> None:
        """Forget a topic; its subscriptions keep what they have."""
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
        """Keep a new subscription; raises ALREADY_EXISTS, or NOT_FOUND for its topic."""
        if message.name in self.subscriptions:
            raise _exists(message.name)
        topic = self.topic(message.topic)
        subscription = self._subscription(self._store.add_subscription(message), message)
        topic.subscriptions[message.name] = subscription
        self.on_change(subscription)

    def save_subscription(self, subscription: Subscription, message: Any) -> None:
        """Change a subscription, effective at once."""
        self._store.save_subscription(subscription.key, message, subscription.policy)
        subscription.message = message
        if not message.retain_acked_messages:
            subscription.archive.clear()
        subscription.interrupt()
        self.on_change(subscription)

    def remove_subscription(self, name: str) -> None:
        """Forget a subscription and all it waits for."""
        subscription = self.subscription(name)
        subscription.delete()
        self._store.remove_subscription(subscription.key)
        del self.subscriptions[name]
        if topic := self.topics.get(subscription.message.topic):
            topic.subscriptions.pop(name, None)
        self.on_change(subscription)

    def detach(self, subscription: Subscription) -> None:
        """Send the subscription nothing any more, and forget what it has."""
        if topic := self.topics.get(subscription.message.topic):
            topic.subscriptions.pop(subscription.message.name, None)
        message = copy(subscription.message)
        message.detached = True
        self.save_subscription(subscription, message)
        subscription.clear()

    def add_snapshot(self, message: Any, backlog: list[Message]) -> None:
        """Keep these messages, and all that are published from now on, in a new snapshot; raises ALREADY_EXISTS."""
        if message.name in self.snapshots:
            raise _exists(message.name)
        self._store.save_snapshot(message, b"")
        snapshot = self._snapshot(message)
        snapshot.archive.add(backlog)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the snapshot as it is now."""
        self._store.save_snapshot(snapshot.message, snapshot.policy)

    def remove_snapshot(self, name: str) -> None:
        """Forget a snapshot and what only it kept."""
        snapshot = self.snapshot(name)
        snapshot.archive.clear()
        self._store.remove_snapshot(name)
        del self.snapshots[name]
        if topic := self.topics.get(snapshot.message.topic):
            topic.snapshots.pop(name, None)

    def flush(self) -> None:
        """Bring all changes so far to disk at once."""
        self._store.journal.flush()

    async def publish(self, request: Any) -> Sequence[int]:
        """Send the messages of a PublishRequest to everyone who listens; returns their ids when they are safe on disk."""
        topic = self.topic(request.topic)
        if self.tamper:
            ids: Sequence[int] = [await self._tampered(topic, message, self.tamper) for message in request.messages]
        else:
            ids = send(self._store, topic, request)
        await self.committed()
        return ids

    async def _tampered(self, topic: Topic, message: Any, tamper: Tamper) -> int:
        request = PublishRequest(messages=[message])

        async def publish() -> None:
            send(self._store, topic, request)
            await self.committed()

        is_ours = await tamper(topic.message.name, publish)
        return (send(self._store, topic, request) if is_ours else self._store.next_ids(1))[0]

    async def committed(self) -> None:
        """Return when all changes so far are safe on disk."""
        await self._store.journal.committed()

    def _dead_letter(self, subscription: Subscription, delivery: Delivery) -> bool:
        """Send to the dead-letter topic, in the same commit that forgets the delivery; False when there is no such topic."""
        name = subscription.message.dead_letter_policy.dead_letter_topic
        topic = self.topics.get(name)
        if topic is None:
            log.warning("no dead-letter topic %s for %s", name, subscription.message.name)
            return False
        content = subscription.content(delivery)
        wrapped = dead_letter.wrapped(content, subscription.message.name, delivery.attempts)
        send(self._store, topic, PublishRequest(messages=[wrapped]))
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
        self._restore_messages(by_key)

    def _restore_messages(self, subscriptions: dict[int, Subscription]) -> None:
        holders: list[Topic | Subscription | Snapshot] = [*self.topics.values(), *subscriptions.values()]
        archives = {holder.archive.name: holder.archive for holder in [*holders, *self.snapshots.values()]}
        for holding in self._store.holdings():
            if holding.archive:
                archives[holding.archive].restore(holding.message)
            else:
                subscriptions[holding.subscription].restore(holding.message, holding.attempts)

    def _snapshot(self, message: Any) -> Snapshot:
        snapshot = self.snapshots[message.name] = Snapshot(message, Archive(message.name, self._store))
        if topic := self.topics.get(message.topic):
            topic.snapshots[message.name] = snapshot
        return snapshot

    def _subscription(self, key: int, message: Any) -> Subscription:
        subscription = Subscription(key, message, self._store, self.clock, self._dead_letter)
        self.subscriptions[message.name] = subscription
        return subscription


def _found(resources: dict[str, T], name: str, kind: str) -> T:
    resource = resources.get(name)
    if resource is None:
        names.check(name, kind)
        raise _not_found(name)
    return resource


def _not_found(name: str) -> ApiError:
    return ApiError("NOT_FOUND", f"Resource not found (resource={names.last(name)}).")


def _exists(name: str) -> ApiError:
    return ApiError("ALREADY_EXISTS", f"Resource already exists in the project (resource={names.last(name)}).")
