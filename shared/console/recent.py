"""Lists that all viewers of an instance share: read once for all of them, every few seconds."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

#: Different lists that are kept; each may have a thousand rows.
MAX_KEPT = 32


class Recent:
    """Values by key, each made again when it is older than `seconds`.

    One thread makes a value, the others wait for it.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic, most: int = MAX_KEPT) -> None:
        self._seconds = seconds
        self._most = most
        self._now = now
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}

    def get(self, key: Hashable, make: Callable[[], T], keep: Callable[[T], float] | None = None) -> T:
        """The value of this key; `keep` gives its own seconds. An error of `make` is not kept."""
        entry = self._entry(key)
        with entry.lock:
            if self._now() >= entry.until:
                made = make()
                entry.value = made
                entry.until = self._now() + (keep(made) if keep else self._seconds)
            value: T = entry.value
            return value

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
