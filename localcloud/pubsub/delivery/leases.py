"""Who must answer by when: leases of deliveries, in buckets of one second."""

import math
from itertools import chain

from localcloud.pubsub.model import Delivery


class Leases:
    """Every held delivery under the second its lease ends; a lease may last up to a second longer than promised."""

    def __init__(self) -> None:
        self._buckets: dict[int, dict[Delivery, None]] = {}

    def add(self, delivery: Delivery) -> None:
        """Watch the deadline of a delivery that was just leased or extended."""
        if delivery.deadline < math.inf:
            self._buckets.setdefault(math.ceil(delivery.deadline), {})[delivery] = None

    def discard(self, delivery: Delivery) -> None:
        """Stop watching it."""
        if delivery.deadline == math.inf:
            return
        second = math.ceil(delivery.deadline)
        bucket = self._buckets[second]
        del bucket[delivery]
        if not bucket:
            del self._buckets[second]

    def expired(self, now: float) -> list[Delivery]:
        """Deliveries whose lease is over; they stay until discarded."""
        due = sorted(second for second in self._buckets if second <= now)
        return list(chain.from_iterable(self._buckets[second] for second in due))

    def next_due(self) -> float:
        """When the first lease ends."""
        return min(self._buckets, default=math.inf)
