"""Leases of deliveries: their deadlines, in buckets of one second, and the acknowledgement ids that name them."""

import math
from itertools import chain

from localcloud.errors import ApiError
from localcloud.pubsub.model import Delivery


class Leases:
    """Every leased delivery by the second its lease ends. A lease may last up to a second longer than its deadline."""

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
        """Deliveries whose lease has ended. They remain until discarded."""
        due = sorted(second for second in self._buckets if second <= now)
        return list(chain.from_iterable(self._buckets[second] for second in due))

    def next_due(self) -> float:
        """End of the first lease, seconds since the epoch."""
        return min(self._buckets, default=math.inf)


def ack_id(subscription_key: int, message_id: int, lease: int) -> str:
    """The acknowledgement id of a lease."""
    return f"{subscription_key:x}-{message_id:x}-{lease:x}"


def parse_ack_id(text: str, subscription_key: int) -> tuple[int, int]:
    """Message id and lease. Raises `ApiError` (INVALID_ARGUMENT) for text that is no id of this subscription."""
    try:
        key, message_id, lease = (int(part, 16) for part in text.split("-"))
    except ValueError:
        key, message_id, lease = 0, 0, 0
    if key != subscription_key:
        raise ApiError("INVALID_ARGUMENT", f"You have passed an invalid ack ID to the service (ack_id={text}).")
    return message_id, lease
