"""A subscription at work: its backlog on the clock, its consumers, and what happens when a message comes back."""

import math
from collections.abc import Callable
from itertools import count
from typing import Any

from local.clock import Clock
from local.errors import ApiError
from local.pubsub import backoff
from local.pubsub.alarm import Alarm
from local.pubsub.backlog import Backlog
from local.pubsub.filters import Filter, parse_filter
from local.pubsub.messages import PubsubMessage
from local.pubsub.model import Consumer, Delivery, Message
from local.pubsub.store import Store

#: One answer carries at most this much, so that several consumers share a backlog evenly.
MAX_BATCH_BYTES = 4 << 20

DeadLetter = Callable[["Subscription", Delivery], bool]


class Subscription:
    """Hands out what its topic publishes until it is acknowledged."""

    def __init__(self, key: int, message: Any, store: Store, clock: Clock, dead_letter: DeadLetter) -> None:
        self.key = key
        self.message = message
        self.policy = b""
        self.is_deleted = False
        self.matches: Filter = parse_filter(message.filter)
        self.consumers: list[Consumer] = []
        self.backlog = Backlog(message.enable_message_ordering)
        self._store = store
        self._clock = clock
        self._dead_letter = dead_letter
        self._alarm = Alarm(clock, self._ring)
        # Leases of an earlier process must never be taken for ours.
        self._leases = count(int(clock.time() * 1_000_000))

    @property
    def is_push(self) -> bool:
        """Whether messages are sent to an endpoint; nobody may pull them then."""
        return bool(self.message.push_config.push_endpoint)

    @property
    def counts_attempts(self) -> bool:
        """Whether consumers are told how often a message was delivered."""
        return bool(self.message.HasField("dead_letter_policy"))

    def offer(self, message: Message) -> None:
        """Put a committed message in line."""
        if self.is_deleted:
            self._store.remove_delivery(self.key, message)
            return
        self.backlog.add(message)
        self._announce()

    def restore(self, message: Message, attempts: int) -> None:
        """Put a message in line that was not acknowledged when the process last ended."""
        self.backlog.add(message, attempts)

    def start(self) -> None:
        """After a restart: a message whose last attempt was under way goes to the dead letters now."""
        if self.counts_attempts:
            for delivery in list(self.backlog.deliveries.values()):
                self._try_dead_letter(delivery)
        self._announce()

    def stop(self) -> None:
        """Let no time pass any more."""
        self._alarm.cancel()

    def take(self, consumer: Consumer, max_messages: int, lease_seconds: float) -> list[Delivery]:
        """Lease messages to a consumer; none when there is nothing for it, or no room."""
        taken = self.backlog.take(consumer, max_messages, MAX_BATCH_BYTES)
        if not taken:
            return taken
        deadline = self._clock.time() + lease_seconds
        counts = self.counts_attempts
        for delivery in taken:
            delivery.attempts += 1
            delivery.lease = next(self._leases)
            delivery.deadline = deadline
            self.backlog.leases.add(delivery)
            if counts:
                self._store.count_attempt(self.key, delivery.message, delivery.attempts)
        if deadline < math.inf:
            self._alarm.set(math.ceil(deadline))
        return taken

    def ack_id(self, delivery: Delivery) -> str:
        """Names the lease: subscription, message and the lease itself."""
        return f"{self.key:x}-{delivery.message.id:x}-{delivery.lease:x}"

    def body(self, delivery: Delivery) -> bytes:
        """The serialized PubsubMessage."""
        return self._store.body(delivery.message)

    def content(self, delivery: Delivery) -> Any:
        """The PubsubMessage."""
        return PubsubMessage.FromString(self.body(delivery))

    def acknowledge(self, ack_ids: list[str]) -> None:
        """Forget these messages; a late acknowledgement counts as long as the message is there."""
        for message_id, _ in map(self._parse, ack_ids):
            if delivery := self.backlog.acknowledge(message_id):
                self._store.remove_delivery(self.key, delivery.message)
        self._announce()

    def modify_deadline(self, ack_ids: list[str], lease_seconds: int) -> None:
        """Extend these leases from now on; 0 gives the messages back. Leases that are over stay so."""
        for message_id, lease in map(self._parse, ack_ids):
            delivery = self.backlog.deliveries.get(message_id)
            if delivery is None or delivery.lease != lease:
                continue
            if lease_seconds == 0:
                self._return(delivery)
            else:
                self._extend(delivery, self._clock.time() + lease_seconds)
        self._announce()

    def settle(self, delivery: Delivery, lease: int, is_accepted: bool) -> None:
        """The outcome of one push."""
        ack_id = f"{self.key:x}-{delivery.message.id:x}-{lease:x}"
        if is_accepted:
            self.acknowledge([ack_id])
        else:
            self.modify_deadline([ack_id], 0)

    def delete(self) -> None:
        """Forget every message and wake who waits for one."""
        self.is_deleted = True
        self._alarm.cancel()
        for delivery in self.backlog.deliveries.values():
            self._store.remove_delivery(self.key, delivery.message)
        self.interrupt()

    def interrupt(self) -> None:
        """Wake every consumer to look at the subscription again."""
        for consumer in self.consumers:
            consumer.wake.set()

    def _extend(self, delivery: Delivery, deadline: float) -> None:
        self.backlog.leases.discard(delivery)
        delivery.deadline = deadline
        self.backlog.leases.add(delivery)
        self._alarm.set(math.ceil(deadline))

    def _return(self, delivery: Delivery) -> None:
        if self.counts_attempts and self._try_dead_letter(delivery):
            return
        now = self._clock.time()
        delay = backoff.delay_seconds(self.message, delivery.attempts)
        self.backlog.give_back(delivery, now + delay, now)
        if delay:
            self._alarm.set(self.backlog.next_due())

    def _try_dead_letter(self, delivery: Delivery) -> bool:
        if delivery.attempts < self.message.dead_letter_policy.max_delivery_attempts:
            return False
        if not self._dead_letter(self, delivery):
            return False
        self.backlog.acknowledge(delivery.message.id)
        self._store.remove_delivery(self.key, delivery.message)
        return True

    def _ring(self) -> None:
        now = self._clock.time()
        self.backlog.mature(now)
        for delivery in self.backlog.leases.expired(now):
            if delivery.lease:
                self._return(delivery)
        self._alarm.set(self.backlog.next_due())
        self._announce()

    def _announce(self) -> None:
        if self.backlog.has_ready:
            self.interrupt()

    def _parse(self, ack_id: str) -> tuple[int, int]:
        try:
            key, message_id, lease = (int(part, 16) for part in ack_id.split("-"))
        except ValueError:
            key, message_id, lease = 0, 0, 0
        if key != self.key:
            message = f"You have passed an invalid ack ID to the service (ack_id={ack_id})."
            raise ApiError("INVALID_ARGUMENT", message)
        return message_id, lease
