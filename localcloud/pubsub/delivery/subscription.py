"""A subscription in operation: leases messages to consumers and takes back those not acknowledged in time."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, groupby
from operator import attrgetter
from typing import Any

from localcloud.clock import Alarm, Clock
from localcloud.pubsub.data.archive import Archive
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery import leases
from localcloud.pubsub.delivery.backlog import Backlog
from localcloud.pubsub.delivery.usage import Usage
from localcloud.pubsub.model import Batch, Consumer, Delivery, Message, Pending
from localcloud.pubsub.rules.filters import Filter, parse_filter
from localcloud.pubsub.rules.subscriptions import retry_delay_seconds

#: Publishes a delivery as a dead letter. False: the dead-letter topic is missing.
DeadLetter = Callable[["Subscription", Delivery], bool]


class Subscription:
    """Delivers the messages of its topic until they are acknowledged."""

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
        # Numbers start at the current time: ack ids of an earlier process must not name leases of this one.
        self._leases = count(int(clock.time() * 1_000_000))
        self.usage = Usage(key, store, clock)
        #: Acknowledgement ids of earlier leases have no effect: these messages were sought since.
        self.first_lease = 0

    @property
    def is_push(self) -> bool:
        """Whether messages are pushed to an endpoint, which excludes pulling."""
        return bool(self.message.push_config.push_endpoint)

    @property
    def is_pulled(self) -> bool:
        """Whether a client pulls now."""
        return any(not consumer.is_serial for consumer in self.consumers)

    @property
    def counts_attempts(self) -> bool:
        """Whether delivery attempts are counted and reported to consumers."""
        return bool(self.message.HasField("dead_letter_policy"))

    def offer(self, batch: Batch, places: Sequence[int]) -> None:
        """Add the committed messages at these places to the backlog."""

        def load() -> list[Message]:
            messages = self._store.messages(batch)
            return [messages[place] for place in places]

        if self.is_deleted or self.message.detached:
            for message in load():
                self._store.remove_delivery(self.key, message)
            return
        self.backlog.add_pending(Pending(batch.id + places[0], load))
        self._wake_if_ready()

    def start(self) -> None:
        """Begin delivery. Messages whose last attempt was interrupted by the restart become dead letters first."""
        if self.counts_attempts:
            for delivery in list(self.backlog.deliveries.values()):
                self._try_dead_letter(delivery)
        self._wake_if_ready()

    def stop(self) -> None:
        """Stop watching deadlines."""
        self._alarm.cancel()

    def take(self, consumer: Consumer, max_messages: int, lease_seconds: float) -> list[Delivery]:
        """Lease messages to a consumer; empty when none is ready or its flow control is exhausted."""
        taken = self.backlog.take(consumer, max_messages)
        deadline = self._clock.time() + lease_seconds
        counts = self.counts_attempts
        for delivery in taken:
            delivery.attempts += 1
            delivery.lease = next(self._leases)
            delivery.deadline = deadline
            self.backlog.leases.add(delivery)
            if counts:
                self._store.count_attempt(self.key, delivery.message, delivery.attempts)
        if taken and deadline < math.inf:
            self._alarm.set(math.ceil(deadline))
        return taken

    def ack_id(self, delivery: Delivery) -> str:
        """The acknowledgement id of a delivery's current lease."""
        return leases.ack_id(self.key, delivery.message.id, delivery.lease)

    def matching_places(self, contents: Sequence[Any]) -> Sequence[int]:
        """The indices of the PubsubMessages that match the filter."""
        if self._matches is None:
            return range(len(contents))
        return [place for place, content in enumerate(contents) if self._matches(content.attributes)]

    def content(self, delivery: Delivery) -> Any:
        """The PubsubMessage. Copy it before changing it."""
        return self._store.content(delivery.message)

    def late(self, ack_ids: Iterable[str]) -> list[str]:
        """With exactly-once delivery, the ids whose leases have ended; else none."""
        if not self.message.enable_exactly_once_delivery:
            return []
        return [ack_id for ack_id, _, is_current in self._find(ack_ids) if not is_current]

    def acknowledge(self, ack_ids: Iterable[str]) -> list[str]:
        """Remove these messages, even after their lease. With exactly-once delivery, late ids are returned instead."""
        refused = []
        for ack_id, delivery, is_current in self._find(ack_ids):
            if self.message.enable_exactly_once_delivery and not is_current:
                refused.append(ack_id)
            elif delivery:
                self._acknowledge(delivery)
        self._wake_if_ready()
        return refused

    def modify_deadline(self, ack_ids: Iterable[str], lease_seconds: int) -> list[str]:
        """Set these leases to end that many seconds from now; 0 returns the messages. Returns the ids of ended leases."""
        late = []
        for ack_id, delivery, is_current in self._find(ack_ids):
            if not delivery or not is_current:
                late.append(ack_id)
            elif lease_seconds == 0:
                self._return(delivery)
            else:
                self._extend(delivery, self._clock.time() + lease_seconds)
        self._wake_if_ready()
        return late

    def unacknowledged(self) -> list[Message]:
        """All unacknowledged messages, oldest first."""
        self._store.journal.flush()
        return [delivery.message for delivery in self.backlog.deliveries.values()]

    def seek(self, messages: Iterable[Message]) -> None:
        """Make the backlog exactly those of these messages that match the filter, as if none had been delivered."""
        self._store.require_room()
        self._store.journal.flush()
        wanted = {message.id: message for message in messages if self._accepts(message)}
        for message_id in [id_ for id_ in self.backlog.deliveries if id_ not in wanted]:
            self._acknowledge(self.backlog.deliveries[message_id])
        again = [wanted[id_] for id_ in sorted(wanted) if id_ not in self.backlog.deliveries]
        for batch, messages_ in groupby(again, attrgetter("batch")):
            self._store.add_deliveries(self.key, batch, [message.place for message in messages_])
        self.archive.discard(again)
        self.first_lease = next(self._leases)
        self._store.save_seek(self.key, self.first_lease)
        # Before any other write about these messages: the journal does not keep the order of writes within a turn.
        self._store.journal.end_turn()
        self.backlog.replay(again)
        self._wake_if_ready()

    def drop_before(self, microseconds: int) -> None:
        """Remove backlog and archive entries published before that time (since the epoch)."""
        self.archive.drop_before(microseconds)
        for message_id in self.backlog.older(microseconds):
            self._remove(message_id)
        self._wake_if_ready()

    def clear(self) -> None:
        """Empty backlog and archive."""
        self.archive.clear()
        for message_id in list(self.backlog.deliveries):
            self._remove(message_id)

    def delete(self) -> None:
        """Empty backlog and archive, and end delivery: waiting consumers get NOT_FOUND."""
        self.is_deleted = True
        self._alarm.cancel()
        self.clear()
        self.wake_consumers()

    def wake_consumers(self) -> None:
        """Make every consumer check the subscription again."""
        for consumer in self.consumers:
            consumer.wake.set()

    def _accepts(self, message: Message) -> bool:
        return self._matches is None or self._matches(self._store.content(message).attributes)

    def _extend(self, delivery: Delivery, deadline: float) -> None:
        self.backlog.leases.discard(delivery)
        delivery.deadline = deadline
        self.backlog.leases.add(delivery)
        self._alarm.set(math.ceil(deadline))

    def _return(self, delivery: Delivery) -> None:
        if self.counts_attempts and self._try_dead_letter(delivery):
            return
        now = self._clock.time()
        delay = retry_delay_seconds(self.message, delivery.attempts)
        self.backlog.give_back(delivery, now + delay, now)
        if delay:
            self._alarm.set(self.backlog.next_due())

    def _try_dead_letter(self, delivery: Delivery) -> bool:
        most = self.message.dead_letter_policy.max_delivery_attempts
        is_dead = delivery.attempts >= most and self._dead_letter(self, delivery)
        if is_dead:
            self._remove(delivery.message.id)
        return is_dead

    def _ring(self) -> None:
        now = self._clock.time()
        self.backlog.mature(now)
        for delivery in self.backlog.leases.expired(now):
            if delivery.lease and delivery.holder:
                delivery.holder.on_expired(delivery)
                self._return(delivery)
        self._alarm.set(self.backlog.next_due())
        self._wake_if_ready()

    def _wake_if_ready(self) -> None:
        if self.backlog.has_ready:
            self.wake_consumers()

    def _acknowledge(self, delivery: Delivery) -> None:
        if self.message.retain_acked_messages:
            self.archive.add([delivery.message])
        self._remove(delivery.message.id)

    def _remove(self, message_id: int) -> None:
        if delivery := self.backlog.acknowledge(message_id):
            self._store.remove_delivery(self.key, delivery.message)

    def _find(self, ack_ids: Iterable[str]) -> Iterator[tuple[str, Delivery | None, bool]]:
        """Each id with its delivery, None if it was acknowledged or sought, and whether its lease is the current one."""
        self.usage.touch()
        # Parse all ids first: one invalid id refuses the request as a whole.
        for ack_id, (message_id, lease) in [(ack_id, leases.parse_ack_id(ack_id, self.key)) for ack_id in ack_ids]:
            delivery = self.backlog.find(message_id) if lease >= self.first_lease else None
            yield ack_id, delivery, delivery is not None and delivery.lease == lease
