"""When a subscription was last used: an unused one expires (Pub/Sub: "Subscription expiration")."""

from localcloud.clock import Clock
from localcloud.pubsub.data.store import Store


class Usage:
    """The time of a subscription's last use, in seconds since the epoch."""

    def __init__(self, key: int, store: Store, clock: Clock) -> None:
        self._key = key
        self._store = store
        self._clock = clock
        self._last, self._saved = clock.time(), 0.0

    def touch(self) -> None:
        """Record a use now."""
        self._last = self._clock.time()

    def last(self) -> float:
        """The time of the last use; saves it in the store."""
        if self._last != self._saved:
            self._saved = self._last
            self._store.save_activity(self._key, self._last)
        return self._last

    def restore(self, time: float) -> None:
        """Set the time of the last use, from the store."""
        self._last = self._saved = time
