"""What one subscription has not acknowledged: waiting, held or delayed. Pure: time and leases come from outside.

    add ──► waiting ──take──► held ──acknowledge──► gone
               ▲                │
               └── delayed ◄────┘ give_back (nack, or the lease ended)

Ordering keys: all deliveries of a key stand in one `Lane`, which waits in line as a whole.
"""

import heapq
import math
from collections import deque
from itertools import count

from localcloud.pubsub.delivery.leases import Leases
from localcloud.pubsub.model import Consumer, Delivery, Lane, Message

#: What an answer adds to a message: how its lease is named, its id, its time, its attempts.
ENVELOPE_BYTES = 256


class Backlog:
    """The unacknowledged deliveries of a subscription, by message id and in its order."""

    def __init__(self, is_ordered: bool) -> None:
        self.deliveries: dict[int, Delivery] = {}
        self.leases = Leases()
        self._is_ordered = is_ordered
        self._ready: deque[Delivery | Lane] = deque()
        self._delayed: list[tuple[float, int, Delivery | Lane]] = []
        self._lanes: dict[str, Lane] = {}
        self._sequence = count()

    @property
    def has_ready(self) -> bool:
        """Whether somebody may find something to take."""
        return bool(self._ready)

    def add(self, message: Message, attempts: int = 0) -> Delivery:
        """Put a message at the end of the line."""
        delivery = Delivery(message, attempts)
        self.deliveries[message.id] = delivery
        if self._is_ordered and message.ordering_key:
            delivery.lane = self._lanes.setdefault(message.ordering_key, Lane(message.ordering_key))
            delivery.lane.waiting.append(delivery)
            self._line_up(delivery.lane)
        else:
            self._ready.append(delivery)
        return delivery

    def add_all(self, messages: list[Message]) -> None:
        """Put messages at the end of the line."""
        if self._is_ordered:
            for message in messages:
                self.add(message)
            return
        deliveries = list(map(Delivery, messages))
        self.deliveries.update((delivery.message.id, delivery) for delivery in deliveries)
        self._ready.extend(deliveries)

    def replay(self, messages: list[Message]) -> None:
        """Put older messages where they belong; what is held of their ordering keys comes again after them."""
        lanes = {delivery.lane for delivery in map(self.add, messages) if delivery.lane}
        for lane in lanes:
            for delivery in list(lane.held.values()):
                self._end_lease(delivery)
                lane.waiting.append(delivery)
            lane.waiting = deque(sorted(lane.waiting, key=_age))
            self._free(lane)
        self.deliveries = dict(sorted(self.deliveries.items()))

    def take(self, consumer: Consumer, max_messages: int, max_bytes: int) -> list[Delivery]:
        """Hand over as many as there are, the consumer wants, its flow control allows and `max_bytes` hold: one at least."""
        taken: list[Delivery] = []
        room: float = math.inf  # for the first, whatever its size
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
        """Forget a delivery, held or not; None when it is gone already."""
        delivery = self.deliveries.pop(message_id, None)
        if delivery is None:
            return None
        delivery.is_gone = True
        if delivery.holder:
            self._end_lease(delivery)
        elif delivery.lane:
            delivery.lane.waiting.remove(delivery)
        if delivery.lane:
            self._free(delivery.lane)
        return delivery

    def give_back(self, delivery: Delivery, due: float, now: float) -> None:
        """End the lease; the delivery waits again from `due` on, with all that follow it in its lane."""
        lane = delivery.lane
        if lane is None:
            self._end_lease(delivery)
            self._wait(delivery, due, now)
            return
        later = sorted((d for d in lane.held.values() if d.message.id >= delivery.message.id), key=_age)
        for each in later:
            self._end_lease(each)
        lane.waiting.extendleft(reversed(later))
        self._step_out(lane)
        self._wait(lane, due, now)

    def mature(self, now: float) -> None:
        """Let what was delayed until now wait in line again."""
        while self._delayed and self._delayed[0][0] <= now:
            due, _, item = heapq.heappop(self._delayed)
            if isinstance(item, Delivery):
                self._ready.append(item)
            elif item.due == due:  # and not delayed further meanwhile
                item.due = 0.0
                self._free(item)

    def next_due(self) -> float:
        """When the first lease or delay ends."""
        return min(self._delayed[0][0] if self._delayed else math.inf, self.leases.next_due())

    def _next(self, consumer: Consumer, room: float) -> Delivery | None:
        """The next in line, unless it is bigger than there is room for."""
        while consumer.lanes and _size(consumer.lanes[0]) <= room:
            if delivery := self._from_lane(consumer.lanes.popleft(), consumer):
                return delivery
        while self._ready and not consumer.lanes and _size(self._ready[0]) <= room:
            item = self._ready.popleft()
            if isinstance(item, Lane):
                if delivery := self._from_lane(item, consumer):
                    return delivery
            elif not item.is_gone:
                return item
        return None

    def _from_lane(self, lane: Lane, consumer: Consumer) -> Delivery | None:
        """The next of a lane that has just left its line, which was everyone's or this consumer's own; None if none waits."""
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

    def _line_up(self, lane: Lane) -> None:
        """Stand in the line of those who may take from the lane: everyone's, its holder's, or none."""
        if lane.queue is not None or lane.due or not lane.waiting:
            return
        if lane.holder is None:
            lane.queue = self._ready
            self._ready.append(lane)
        elif not lane.holder.is_serial:
            lane.queue = lane.holder.lanes
            lane.holder.lanes.append(lane)
            lane.holder.wake.set()

    def _step_out(self, lane: Lane) -> None:
        if lane.queue is not None:
            lane.queue.remove(lane)
            lane.queue = None

    def _free(self, lane: Lane) -> None:
        """After a change: a lane that nobody holds is open to all, an empty one is forgotten."""
        if not lane.held and lane.holder:
            lane.holder = None
            self._step_out(lane)
        if not lane.held and not lane.waiting and not lane.due:
            self._step_out(lane)
            self._lanes.pop(lane.key, None)
        self._line_up(lane)

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
            self._free(item)


def _size(item: Delivery | Lane) -> int:
    """Of the message that would come next."""
    if isinstance(item, Delivery):
        return item.message.size
    return item.waiting[0].message.size if item.waiting else 0


def _age(delivery: Delivery) -> int:
    return delivery.message.id
