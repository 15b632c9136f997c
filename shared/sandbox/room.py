"""The memory of one service, which its deliveries share; their files count, as /tmp is memory on Cloud Run."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import Unavailable

#: Longest wait for room. The queue delivers again, which keeps the order fair and the request short.
WAIT_SECONDS = 20


class Room:
    """Bytes of memory to reserve. Whoever needs more than there is gets all of it, alone."""

    def __init__(self, total_bytes: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._total = total_bytes
        self._wait_seconds = wait_seconds
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, wanted_bytes: int) -> Iterator["Share"]:
        """Wait for this many bytes, and hold them. Raises `Unavailable` when none are free in time."""
        share = Share(self)
        deadline = time.monotonic() + self._wait_seconds
        with self._changed:
            while not self._take(share, wanted_bytes):
                if not self._changed.wait(deadline - time.monotonic()):
                    raise Unavailable(f"{wanted_bytes} bytes of memory are not free; the files in work come first")
        try:
            yield share
        finally:
            with self._changed:
                self._taken -= share.held_bytes
                self._changed.notify_all()

    def grow(self, share: "Share", more_bytes: int) -> None:
        """Add to a share at once. Raises `Unavailable`, so that two that grow never wait for each other."""
        with self._changed:
            if not self._take(share, more_bytes):
                raise Unavailable(f"{more_bytes} more bytes of memory are not free; the files in work come first")

    def _take(self, share: "Share", wanted_bytes: int) -> bool:
        others = self._taken - share.held_bytes
        if others and self._taken + wanted_bytes > self._total:
            return False
        self._taken += wanted_bytes
        share.held_bytes += wanted_bytes
        return True


class Share:
    """Bytes that one delivery holds."""

    def __init__(self, room: Room) -> None:
        self.held_bytes = 0
        self._room = room

    def grow(self, more_bytes: int) -> None:
        """Hold more, for a file whose size was not known before. Raises `Unavailable`."""
        self._room.grow(self, more_bytes)


class Turns:
    """Children run side by side, or one alone."""

    def __init__(self) -> None:
        self._running = 0
        self.is_wanted_alone = False
        self._changed = threading.Condition()

    @contextmanager
    def shared(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Run beside others, once none runs alone. Raises `Unavailable` when that takes too long."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self.is_wanted_alone, wait_seconds):
                raise Unavailable("another step runs alone, since it crashed beside others; this one comes after it")
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, wait_seconds: float) -> Iterator[bool]:
        """Run once no other runs; those that come later wait. False when the others did not end in time."""
        deadline = time.monotonic() + wait_seconds
        with self._changed:
            is_mine = self._changed.wait_for(lambda: not self.is_wanted_alone, wait_seconds)
            self.is_wanted_alone |= is_mine
        try:
            with self._changed:
                is_alone = is_mine and self._changed.wait_for(lambda: not self._running, max(0, deadline - time.monotonic()))
            yield is_alone
        finally:
            with self._changed:
                self.is_wanted_alone &= not is_mine
                self._changed.notify_all()
