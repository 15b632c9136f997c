"""Topics and subscriptions, and the way of a message from the one to the others."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from local.clock import Clock
from local.errors import ApiError
from local.pubsub import dead_letter, names
from local.pubsub.messages import copy
from local.pubsub.model import Delivery, Message
from local.pubsub.store import Store
from local.pubsub.subscription import Subscription

log = logging.getLogger(__name__)

#: Asked before a message is sent to a topic of that full name; False: it took the message over, to publish it when it likes.
Tamper = Callable[[str, Callable[[], Awaitable[None]]], Awaitable[bool]]


@dataclass(slots=True)
class Topic:
    """A topic with its serialized IAM policy and those who listen."""

    message: Any
    policy: bytes = b""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)


class Broker:
    """All topics and subscriptions by full name. `on_change` is told of every new, changed or deleted subscription."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.on_change: Callable[[Subscription], None] = lambda _: None
        self.tamper: Tamper | None = None
        self._store = store
        self._clock = clock
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
        topic = self.topics.get(name)
        if topic is None:
            names.check(name, "topics")
            raise _not_found(name)
        return topic

    def subscription(self, name: str) -> Subscription:
        """The subscription of that name; raises NOT_FOUND."""
        subscription = self.subscriptions.get(name)
        if subscription is None:
            names.check(name, "subscriptions")
            raise _not_found(name)
        return subscription

    def add_topic(self, message: Any) -> None:
        """Keep a new topic; raises ALREADY_EXISTS."""
        if message.name in self.topics:
            raise _exists(message.name)
        self._store.save_topic(message, b"")
        self.topics[message.name] = Topic(message)

    def save_topic(self, topic: Topic) -> None:
        """Keep the topic as it is now."""
        self._store.save_topic(topic.message, topic.policy)

    def remove_topic(self, name: str) -> None:
        """Forget a topic; its subscriptions keep what they have."""
        topic = self.topic(name)
        self._store.remove_topic(name)
        del self.topics[name]
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

    async def publish(self, name: str, messages: Iterable[Any]) -> list[str]:
        """Send PubsubMessages to everyone who listens; returns their ids when they are safe on disk."""
        topic = self.topic(name)
        if self.tamper:
            ids = [await self._tampered(topic, message, self.tamper) for message in messages]
        else:
            ids = [self._send(topic, message) for message in messages]
        await self.committed()
        return ids

    async def _tampered(self, topic: Topic, message: Any, tamper: Tamper) -> str:
        async def publish() -> None:
            self._send(topic, message)
            await self.committed()

        return self._send(topic, message) if await tamper(topic.message.name, publish) else str(self._store.next_id())

    async def committed(self) -> None:
        """Return when all changes so far are safe on disk."""
        await self._store.journal.committed()

    def _send(self, topic: Topic, message: Any) -> str:
        id_ = self._store.next_id()
        message.message_id = str(id_)
        message.publish_time.FromMilliseconds(int(self._clock.time() * 1000))
        listeners = [s for s in topic.subscriptions.values() if s.matches(message.attributes)]
        if listeners:
            body = message.SerializeToString()
            stored = Message(id_, len(body), message.ordering_key)
            self._store.add_message(stored, body, [listener.key for listener in listeners])
            for listener in listeners:
                self._store.journal.afterwards(lambda listener=listener: listener.offer(stored))  # type: ignore[misc]
        return str(id_)

    def _dead_letter(self, subscription: Subscription, delivery: Delivery) -> bool:
        """Send to the dead-letter topic, in the same commit that forgets the delivery; False when there is no such topic."""
        name = subscription.message.dead_letter_policy.dead_letter_topic
        topic = self.topics.get(name)
        if topic is None:
            log.warning("no dead-letter topic %s for %s", name, subscription.message.name)
            return False
        content = subscription.content(delivery)
        self._send(topic, dead_letter.wrapped(content, subscription.message.name, delivery.attempts))
        return True

    def _restore(self) -> None:
        for stored in self._store.topics():
            self.topics[stored.message.name] = Topic(stored.message, stored.policy)
        by_key = {}
        for stored in self._store.subscriptions():
            subscription = by_key[stored.key] = self._subscription(stored.key, stored.message)
            subscription.policy = stored.policy
            if topic := self.topics.get(stored.message.topic):
                topic.subscriptions[stored.message.name] = subscription
        for key, message, attempts in self._store.unacknowledged():
            by_key[key].restore(message, attempts)

    def _subscription(self, key: int, message: Any) -> Subscription:
        subscription = Subscription(key, message, self._store, self._clock, self._dead_letter)
        self.subscriptions[message.name] = subscription
        return subscription


def _not_found(name: str) -> ApiError:
    return ApiError("NOT_FOUND", f"Resource not found (resource={names.last(name)}).")


def _exists(name: str) -> ApiError:
    return ApiError("ALREADY_EXISTS", f"Resource already exists in the project (resource={names.last(name)}).")
