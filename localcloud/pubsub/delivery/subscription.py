"""A subscription at work: its backlog on the clock, its consumers, and what happens when a message comes back."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from localcloud.clock import Clock
from localcloud.pubsub.data.archive import Archive
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery import ack_ids as ids
from localcloud.pubsub.delivery import backoff
from localcloud.pubsub.delivery.alarm import Alarm
from localcloud.pubsub.delivery.backlog import Backlog
from localcloud.pubsub.delivery.usage import Usage
from localcloud.pubsub.model import Consumer, Delivery, Message
from localcloud.pubsub.rules.filters import Filter, parse_filter

#: One answer carries at most this much, or a single bigger message: gRPC's clients refuse more than 4 MiB unless told otherwise,
#: as Google's are for the real service and, with `PUBSUB_EMULATOR_HOST`, are not.
MAX_BATCH_BYTES = 4_000_000

DeadLetter = Callable[["Subscription", Delivery], bool]


class Subscription:
    """Hands out what its topic publishes until it is acknowledged."""

    def __init__(self, key: int, message: Any, store: Store, clock: Clock, dead_letter: DeadLetter) -> None:
        self.key = key
        self.message = message
        self.policy = b""
        self.is_deleted = False
        self._matches: Filter | None = parse_filter(message.filter) if message.filter else None
        self.consumers: list[Consumer] = []
        self.backlog = Backlog(message.enable_message_ordering)
        self.archive = Archive(message.name, store)
        self._store = store
        self._clock = clock
        self._dead_letter = dead_letter
        self._alarm = Alarm(clock, self._ring)
        # Leases of an earlier process must never be taken for ours.
        self._leases = count(int(clock.time() * 1_000_000))
        self.usage = Usage(key, store, clock)

    @property
    def is_push(self) -> bool:
        """Whether messages are sent to an endpoint; nobody may pull them then."""
        return bool(self.message.push_config.push_endpoint)

    @property
    def is_streamed(self) -> bool:
        """Whether somebody pulls just now."""
        return any(not consumer.is_serial for consumer in self.consumers)

    @property
    def counts_attempts(self) -> bool:
        """Whether consumers are told how often a message was delivered."""
        return bool(self.message.HasField("dead_letter_policy"))

    def offer(self, messages: list[Message]) -> None:
        """Put committed messages in line."""
        if self.is_deleted or self.message.detached:
            for message in messages:
                self._store.remove_delivery(self.key, message)
            return
        self.backlog.add_all(messages)
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
        return ids.ack_id(self.key, delivery.message.id, delivery.lease)

    def wanted(self, contents: Sequence[Any]) -> Sequence[int]:
        """The places of the PubsubMessages that the filter lets through."""
        if self._matches is None:
            return range(len(contents))
        return [place for place, content in enumerate(contents) if self._matches(content.attributes)]

    def accepts_kept(self, message: Message) -> bool:
        """Whether the filter lets a message through that was kept."""
        return self._matches is None or self._matches(self._store.content(message).attributes)

    def content(self, delivery: Delivery) -> Any:
        """The PubsubMessage; to be copied before it is changed."""
        return self._store.content(delivery.message)

    def late(self, ack_ids: Iterable[str]) -> list[str]:
        """The ids that can do nothing any more, exactly-once: their leases are over."""
        if not self.message.enable_exactly_once_delivery:
            return []
        return [ack_id for ack_id, _, is_current in self._named(ack_ids) if not is_current]

    def acknowledge(self, ack_ids: Iterable[str]) -> list[str]:
        """Forget these messages, late or not; exactly-once, late ids do nothing and are returned."""
        refused = []
        for ack_id, delivery, is_current in self._named(ack_ids):
            if self.message.enable_exactly_once_delivery and not is_current:
                refused.append(ack_id)
            elif delivery:
                self._forget(delivery)
        self._announce()
        return refused

    def modify_deadline(self, ack_ids: Iterable[str], lease_seconds: int) -> list[str]:
        """Extend these leases from now on; 0 gives the messages back. Returns the ids of leases that were over before."""
        over = []
        for ack_id, delivery, is_current in self._named(ack_ids):
            if not delivery or not is_current:
                over.append(ack_id)
            elif lease_seconds == 0:
                self._return(delivery)
            else:
                self._extend(delivery, self._clock.time() + lease_seconds)
        self._announce()
        return over

    def unacknowledged(self) -> list[Message]:
        """All messages that somebody must still acknowledge, the oldest first."""
        self._store.journal.flush()
        return [delivery.message for delivery in self.backlog.deliveries.values()]

    def seek(self, wanted: dict[int, Message]) -> None:
        """From now on exactly these messages are not acknowledged."""
        for message_id in [id_ for id_ in self.backlog.deliveries if id_ not in wanted]:
            self._forget(self.backlog.deliveries[message_id])
        again = [wanted[id_] for id_ in sorted(wanted) if id_ not in self.backlog.deliveries]
        if again:
            self._store.add_deliveries(self.key, again)
        self.archive.discard(again)
        # Before anything else happens to these messages: the journal keeps no order within a turn.
        self._store.journal.flush()
        self.backlog.replay(again)
        self._announce()

    def drop_before(self, microseconds: int) -> None:
        """Forget, and do not keep, what was published before that time (since the epoch)."""
        self.archive.drop_before(microseconds)
        for message_id in [id_ for id_ in self.backlog.deliveries if id_ < microseconds]:
            if delivery := self.backlog.acknowledge(message_id):
                self._store.remove_delivery(self.key, delivery.message)
        self._announce()

    def clear(self) -> None:
        """Forget every message."""
        self.archive.clear()
        for message_id in list(self.backlog.deliveries):
            if delivery := self.backlog.acknowledge(message_id):
                self._store.remove_delivery(self.key, delivery.message)

    def delete(self) -> None:
        """Forget every message and wake who waits for one."""
        self.is_deleted = True
        self._alarm.cancel()
        self.clear()
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
            if delivery.lease and delivery.holder:
                delivery.holder.expired(delivery)
                self._return(delivery)
        self._alarm.set(self.backlog.next_due())
        self._announce()

    def _announce(self) -> None:
        if self.backlog.has_ready:
            self.interrupt()

    def _forget(self, delivery: Delivery) -> None:
        self.backlog.acknowledge(delivery.message.id)
        if self.message.retain_acked_messages:
            self.archive.add([delivery.message])
        self._store.remove_delivery(self.key, delivery.message)

    def _named(self, ack_ids: Iterable[str]) -> Iterator[tuple[str, Delivery | None, bool]]:
        """Each id with its delivery, if it is still there, and whether its lease is."""
        self.usage.note()
        # All of them first: a request with an id that never was does nothing at all.
        for ack_id, (message_id, lease) in [(ack_id, ids.parse(ack_id, self.key)) for ack_id in ack_ids]:
            delivery = self.backlog.deliveries.get(message_id)
            yield ack_id, delivery, delivery is not None and delivery.lease == lease
