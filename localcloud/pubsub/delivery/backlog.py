"""The backlog of one subscription: its unacknowledged deliveries. It has no clock; callers pass times.

    add ──► waiting ──take──► held ──acknowledge──► gone
               ▲                │
               └── delayed ◄────┘ give_back (nack, or the lease ended)

All deliveries of one ordering key are in one `Lane`, which is queued as a whole.
"""

import heapq
import math
from collections import deque
from itertools import count

from localcloud.pubsub.delivery.leases import Leases
from localcloud.pubsub.model import Consumer, Delivery, Lane, Message, Pending

#: Size limit of one answer, unless a single message is larger. Clients of an emulator have gRPC's default limit of 4 MiB; with
#: the real service, Google's clients raise it.
MAX_ANSWER_BYTES = 4_000_000
#: Size that an answer adds to each message: ack id, message id, publish time, attempts.
ENVELOPE_BYTES = 256


class Backlog:
    """The unacknowledged deliveries of a subscription, by message id in ascending order."""

    def __init__(self, is_ordered: bool) -> None:
        self.leases = Leases()
        self._deliveries: dict[int, Delivery] = {}
        self._is_ordered = is_ordered
        self._ready: deque[Delivery | Lane | Pending] = deque()
        self._pending = 0  # the number of Pending in `_ready`
        self._delayed: list[tuple[float, int, Delivery | Lane]] = []
        self._lanes: dict[str, Lane] = {}
        self._sequence = count()

    @property
    def deliveries(self) -> dict[int, Delivery]:
        """Every delivery, by message id in ascending order."""
        self._load()
        return self._deliveries

    @property
    def has_ready(self) -> bool:
        """Whether a consumer may find a delivery to take."""
        return bool(self._ready)

    def add(self, message: Message, attempts: int = 0) -> Delivery:
        """Add a message at the end of the queue."""
        delivery = Delivery(message, attempts)
        self._deliveries[message.id] = delivery
        if self._is_ordered and message.ordering_key:
            delivery.lane = self._lanes.setdefault(message.ordering_key, Lane(message.ordering_key))
            delivery.lane.waiting.append(delivery)
            self._enqueue(delivery.lane)
        else:
            self._ready.append(delivery)
        return delivery

    def add_pending(self, pending: Pending) -> None:
        """Add new messages at the end of the queue."""
        if self._is_ordered:
            for message in pending.load():
                self.add(message)
        else:
            self._ready.append(pending)
            self._pending += 1

    def older(self, than: int) -> list[int]:
        """The message ids below a number."""
        self._load(than)
        return [message_id for message_id in self._deliveries if message_id < than]

    def find(self, message_id: int) -> Delivery | None:
        """The delivery of a message that a consumer was given; None when it was acknowledged."""
        return self._deliveries.get(message_id)

    def replay(self, messages: list[Message]) -> None:
        """Add older messages, and end every lease: all are delivered again, those of an ordering key in order."""
        self._load()
        held = [delivery for delivery in self._deliveries.values() if delivery.holder]
        for delivery in held:
            self._end_lease(delivery)
            (delivery.lane.waiting if delivery.lane else self._ready).append(delivery)
        lanes = {delivery.lane for delivery in [*held, *map(self.add, messages)] if delivery.lane}
        for lane in lanes:
            lane.waiting = deque(sorted(lane.waiting, key=_age))
            self._refresh(lane)
        self._deliveries = dict(sorted(self._deliveries.items()))

    def take(self, consumer: Consumer, max_messages: int, max_bytes: int = MAX_ANSWER_BYTES) -> list[Delivery]:
        """Assign ready deliveries to a consumer, within its flow control. The first may exceed `max_bytes`."""
        taken: list[Delivery] = []
        room: float = math.inf  # the first may have any size
        while len(taken) < max_messages and consumer.has_room:
            delivery = self._next(consumer, room)
            if delivery is None:
                break
            delivery.holder = consumer
            consumer.hold(delivery.message.size)
            max_bytes -= delivery.message.size + ENVELOPE_BYTES
            room = max_bytes - ENVELOPE_BYTES
            taken.append(delivery)
        return taken

    def acknowledge(self, message_id: int) -> Delivery | None:
        """Remove a delivery, held or not. None when it was removed before."""
        delivery = self._deliveries.pop(message_id, None)
        if delivery is None:
            return None
        delivery.is_gone = True
        if delivery.holder:
            self._end_lease(delivery)
        elif delivery.lane:
            delivery.lane.waiting.remove(delivery)
        if delivery.lane:
            self._refresh(delivery.lane)
        return delivery

    def give_back(self, delivery: Delivery, due: float, now: float) -> None:
        """End the lease. The delivery waits again from `due` on, and so do all later ones of its lane."""
        lane = delivery.lane
        if lane is None:
            self._end_lease(delivery)
            self._wait(delivery, due, now)
            return
        later = sorted((d for d in lane.held.values() if d.message.id >= delivery.message.id), key=_age)
        for each in later:
            self._end_lease(each)
        lane.waiting.extendleft(reversed(later))
        self._dequeue(lane)
        self._wait(lane, due, now)

    def mature(self, now: float) -> None:
        """Queue the deliveries and lanes whose delay has ended."""
        while self._delayed and self._delayed[0][0] <= now:
            due, _, item = heapq.heappop(self._delayed)
            if isinstance(item, Delivery):
                self._ready.append(item)
            elif item.due == due:  # else it was delayed further in the meantime
                item.due = 0.0
                self._refresh(item)

    def next_due(self) -> float:
        """End of the first lease or delay, seconds since the epoch."""
        return min(self._delayed[0][0] if self._delayed else math.inf, self.leases.next_due())

    def _next(self, consumer: Consumer, room: float) -> Delivery | None:
        """The next ready delivery, unless it is larger than `room`."""
        while consumer.lanes and _size(consumer.lanes[0]) <= room:
            if delivery := self._from_lane(consumer.lanes.popleft(), consumer):
                return delivery
        while self._ready and not consumer.lanes and _size(self._ready[0]) <= room:
            item = self._ready.popleft()
            if isinstance(item, Pending):
                self._ready.extendleft(reversed(self._loaded(item)))
            elif isinstance(item, Lane):
                if delivery := self._from_lane(item, consumer):
                    return delivery
            elif not item.is_gone:
                return item
        return None

    def _load(self, before: float = math.inf) -> None:
        """Make the deliveries of pending messages, of batches that begin with an id below that."""
        if self._pending:
            items = list(self._ready)
            self._ready.clear()
            for item in items:
                if isinstance(item, Pending) and item.first < before:
                    self._ready.extend(self._loaded(item))
                else:
                    self._ready.append(item)

    def _loaded(self, pending: Pending) -> list[Delivery]:
        self._pending -= 1
        deliveries = list(map(Delivery, pending.load()))
        self._deliveries.update((delivery.message.id, delivery) for delivery in deliveries)
        return deliveries

    def _from_lane(self, lane: Lane, consumer: Consumer) -> Delivery | None:
        """The next delivery of a lane that was just taken off its queue; None when none waits."""
        lane.queue = None
        if not lane.waiting:
            return None
        lane.holder = consumer
        delivery = lane.waiting.popleft()
        lane.held[delivery.message.id] = delivery
        if lane.waiting and not consumer.is_serial:
            lane.queue = consumer.lanes
            consumer.lanes.appendleft(lane)
        return delivery

    def _enqueue(self, lane: Lane) -> None:
        """Queue the lane for its holder, or for every consumer without one. A delayed or empty lane is not queued."""
        if lane.queue is not None or lane.due or not lane.waiting:
            return
        if lane.holder is None:
            lane.queue = self._ready
            self._ready.append(lane)
        elif not lane.holder.is_serial:
            lane.queue = lane.holder.lanes
            lane.holder.lanes.append(lane)
            lane.holder.wake.set()

    def _dequeue(self, lane: Lane) -> None:
        if lane.queue is not None:
            lane.queue.remove(lane)
            lane.queue = None

    def _refresh(self, lane: Lane) -> None:
        """After a change: offer a lane without held deliveries to every consumer, and delete an empty one."""
        if not lane.held and lane.holder:
            lane.holder = None
            self._dequeue(lane)
        if not lane.held and not lane.waiting and not lane.due:
            self._dequeue(lane)
            self._lanes.pop(lane.key, None)
        self._enqueue(lane)

    def _end_lease(self, delivery: Delivery) -> None:
        if delivery.lease:
            self.leases.discard(delivery)
        if delivery.holder:
            delivery.holder.release(delivery.message.size)
        if delivery.lane:
            delivery.lane.held.pop(delivery.message.id, None)
        delivery.lease, delivery.holder = 0, None

    def _wait(self, item: Delivery | Lane, due: float, now: float) -> None:
        if due > now:
            heapq.heappush(self._delayed, (due, next(self._sequence), item))
            if isinstance(item, Lane):
                item.due = max(item.due, due)
        elif isinstance(item, Delivery):
            self._ready.append(item)
        if isinstance(item, Lane):
            self._refresh(item)


def _size(item: Delivery | Lane | Pending) -> int:
    """Size of the next message, in bytes; 0 while it is pending."""
    if isinstance(item, Delivery):
        return item.message.size
    return item.waiting[0].message.size if isinstance(item, Lane) and item.waiting else 0


def _age(delivery: Delivery) -> int:
    return delivery.message.id
