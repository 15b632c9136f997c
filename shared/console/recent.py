"""Lists that all viewers of an instance share: read once for all of them, every few seconds."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from shared.errors import Transient

T = TypeVar("T")

#: Different lists that are kept; each may have a thousand rows.
MAX_KEPT = 32


class Recent:
    """Values by key, each made again when it is older than `seconds`.

    One thread makes a value, the others wait for it; in an outage they share its error, or each would wait for its own in turn.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic, most: int = MAX_KEPT) -> None:
        self._seconds = seconds
        self._most = most
        self._now = now
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}

    def get(self, key: Hashable, make: Callable[[], T], keep: Callable[[T], float] | None = None) -> T:
        """The value of this key; `keep` gives its own seconds. An error of `make` is not kept."""
        entry, asked = self._entry(key), self._now()
        with entry.lock:
            if entry.outage and asked < entry.failed:
                raise entry.outage
            if self._now() >= entry.until:
                made = self._made(entry, make)
                entry.value = made
                entry.until = self._now() + (keep(made) if keep else self._seconds)
            value: T = entry.value
            return value

    def _made(self, entry: "_Entry", make: Callable[[], T]) -> T:
        entry.outage = None
        try:
            return make()
        except Transient as error:
            entry.outage, entry.failed = error, self._now()
            raise

    def forget(self) -> None:
        """Make every value again: an action changed what they show."""
        with self._lock:
            self._entries.clear()

    def _entry(self, key: Hashable) -> "_Entry":
        with self._lock:
            entry = self._entries.pop(key, None) or _Entry()
            self._entries[key] = entry  # the last one used is the last to go
            while len(self._entries) > self._most:
                del self._entries[next(iter(self._entries))]
            return entry


class _Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.until = float("-inf")
        self.value: Any = None
        self.outage: Transient | None = None
        self.failed = float("-inf")
