"""Ordering keys under random acknowledgements (late ones too), nacks, expired leases and delays.

The model of a key: its unacknowledged messages, which of them are held, and when the next is due. Held messages are always older
than waiting ones, because returning a message returns all later ones.
"""

import asyncio
import math
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from localcloud.clock import TurnedClock
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import PublishRequest, PubsubMessage, Subscription, Topic
from localcloud.pubsub.model import Consumer

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/ordered"
LEASE_SECONDS, BACKOFF_SECONDS = 10, 6
KEYS = "ab"


@dataclass
class Hold:
    """A lease of a message: its consumer, ack id and end (seconds since the epoch)."""

    consumer: Consumer
    ack_id: str
    ends: float


@dataclass
class Key:
    """The expected state of one ordering key."""

    waiting: list[int] = field(default_factory=list)
    held: dict[int, Hold] = field(default_factory=dict)
    due: float = 0.0

    def acknowledge(self, message: int) -> None:
        """Remove a message, waiting or held."""
        if message in self.waiting:
            self.waiting.remove(message)
        self.held.pop(message, None)

    def give_back(self, first: int, due: float) -> None:
        """Return a message and all later ones; they wait until `due`."""
        self.due = max(self.due, due)
        back = sorted(message for message in self.held if message >= first)
        for message in back:
            del self.held[message]
        self.waiting[:0] = back


class Ordering(RuleBasedStateMachine):
    """Two streams and a push worker share a subscription on a turned clock."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.clock = TurnedClock()
        self.keys = {key: Key() for key in KEYS}
        self.ack_ids: list[tuple[str, int, str]] = []  # of all leases, ended ones too

    @initialize(backoff_seconds=some.sampled_from([BACKOFF_SECONDS, 0]))
    def open(self, backoff_seconds: int) -> None:
        self.backoff_seconds = backoff_seconds
        self.run(self._open(backoff_seconds))

    @rule(keys=some.text(KEYS, min_size=1, max_size=4))
    def publish(self, keys: str) -> None:
        messages = [PubsubMessage(data=b"x", ordering_key=key) for key in keys]
        for key, id_ in zip(keys, self.run(self.broker.publish(PublishRequest(topic=TOPIC, messages=messages))), strict=True):
            self.keys[key].waiting.append(id_)

    @rule(number=some.integers(0, 2), limit=some.integers(1, 5))
    def take(self, number: int, limit: int) -> None:
        consumer = self.consumers[number]
        for delivery in self.run(self._do(self.subscription.take, consumer, limit, LEASE_SECONDS)):
            key = self.keys[delivery.message.ordering_key]
            assert delivery.message.id == key.waiting.pop(0)
            assert key.due <= self.clock.time()
            assert all(hold.consumer is consumer for hold in key.held.values())
            assert not (consumer.is_serial and key.held)
            ack_id = self.subscription.ack_id(delivery)
            key.held[delivery.message.id] = Hold(consumer, ack_id, math.ceil(self.clock.time() + LEASE_SECONDS))
            self.ack_ids.append((delivery.message.ordering_key, delivery.message.id, ack_id))

    @precondition(lambda self: self.ack_ids)
    @rule(data=some.data())
    def acknowledge(self, data: Any) -> None:
        key, message, ack_id = self.draw_one(data)
        self.run(self._do(self.subscription.acknowledge, [ack_id]))
        self.keys[key].acknowledge(message)

    @precondition(lambda self: self.ack_ids)
    @rule(data=some.data())
    def nack(self, data: Any) -> None:
        key, message, ack_id = self.draw_one(data)
        self.run(self._do(self.subscription.modify_deadline, [ack_id], 0))
        hold = self.keys[key].held.get(message)
        if hold and hold.ack_id == ack_id:
            self.keys[key].give_back(message, self.clock.time() + self.backoff_seconds)

    @rule(seconds=some.sampled_from([2, 3, LEASE_SECONDS + 2]))
    def turn(self, seconds: int) -> None:
        self.run(self.clock.turn(seconds))
        for key in self.keys.values():
            over = [message for message, hold in key.held.items() if hold.ends <= self.clock.time()]
            if over:
                key.give_back(min(over), key.held[min(over)].ends + self.backoff_seconds)

    def teardown(self) -> None:
        """No message is lost: all remaining ones are delivered in order."""
        try:
            self.turn(LEASE_SECONDS + 2)
            while any(key.waiting for key in self.keys.values()):
                self.turn(BACKOFF_SECONDS + 1)
                self.take(0, 1000)
                held = [(key, message, hold) for key in self.keys.values() for message, hold in key.held.items()]
                assert held, "a message is not delivered again"
                for key, message, hold in held:
                    self.run(self._do(self.subscription.acknowledge, [hold.ack_id]))
                    key.acknowledge(message)
        finally:
            self.run(self._close())
            self.loop.close()
            self.folder.cleanup()

    def draw_one(self, data: Any) -> tuple[str, int, str]:
        """A lease as key, message and ack id: more often a current one than an ended one."""
        held = [(name, message, hold.ack_id) for name, key in self.keys.items() for message, hold in key.held.items()]
        drawn: tuple[str, int, str] = data.draw(some.sampled_from(held or self.ack_ids) | some.sampled_from(self.ack_ids))
        return drawn

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the event loop."""
        return self.loop.run_until_complete(work)

    async def _open(self, backoff_seconds: int) -> None:
        self.store = Store(Path(self.folder.name), self.clock)
        self.broker = Broker(self.store, self.clock)
        self.broker.add_topic(Topic(name=TOPIC))
        retry = {"minimum_backoff": {"seconds": backoff_seconds}, "maximum_backoff": {"seconds": backoff_seconds}}
        ordered = Subscription(
            name=SUBSCRIPTION,
            topic=TOPIC,
            enable_message_ordering=True,
            ack_deadline_seconds=LEASE_SECONDS,
            retry_policy=retry if backoff_seconds else None,
        )
        self.broker.add_subscription(ordered)
        self.subscription = self.broker.subscription(SUBSCRIPTION)
        self.consumers = [Consumer(), Consumer(), Consumer(is_serial=True)]
        self.subscription.consumers += self.consumers

    async def _do(self, act: Any, *arguments: Any) -> Any:
        done = act(*arguments)
        await self.broker.committed()
        return done

    async def _close(self) -> None:
        self.broker.stop()
        await asyncio.sleep(0)
        self.store.close()


TestOrdering = Ordering.TestCase
TestOrdering.settings = settings(max_examples=50, stateful_step_count=30)


@pytest.mark.long
class TestMoreOfOrdering(Ordering.TestCase):  # type: ignore[misc,valid-type]  # made by Hypothesis
    settings = settings(max_examples=150, stateful_step_count=30)
