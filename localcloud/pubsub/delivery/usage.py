"""When somebody last used a subscription: one that nobody uses expires (Pub/Sub: "Subscription expiration")."""

from localcloud.clock import Clock
from localcloud.pubsub.data.store import Store


class Usage:
    """Of the subscription with that key, written down only when somebody asks."""

    def __init__(self, key: int, store: Store, clock: Clock) -> None:
        self._key = key
        self._store = store
        self._clock = clock
        self._used = clock.time()
        self._written = 0.0

    def note(self) -> None:
        """Somebody uses it now."""
        self._used = self._clock.time()

    def restore(self, time: float) -> None:
        """When it was last used before the process started."""
        self._used = self._written = time

    def last(self) -> float:
        """When it was last used; kept, so that a later process knows."""
        if self._used != self._written:
            self._written = self._used
            self._store.note_activity(self._key, self._used)
        return self._used
