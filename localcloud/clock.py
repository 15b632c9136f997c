"""The local cloud's only source of time, so that tests can advance it."""

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time, and a pause, as the services use them."""

    def time(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds of this clock."""


class SystemClock:
    """The machine's own time."""

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class TurnedClock:
    """A clock that stands still until a test advances it."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def time(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.Event()
        self._sleepers.append((self._now + seconds, wake))
        await wake.wait()

    async def turn(self, seconds: float) -> None:
        """Advance by `seconds`, waking every sleeper that is due, the earliest first."""
        end = self._now + seconds
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end]:
            first = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove(first)
            self._now = max(self._now, first[0])
            first[1].set()
            for _ in range(5):
                await asyncio.sleep(0)
        self._now = end
        await asyncio.sleep(0)


def rfc3339(seconds: float) -> str:
    """`1800000000.5` → `2027-01-15T08:00:00.500000Z`, as Google's JSON APIs write time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Alarm:
    """One call at the earliest of several times. The callback `ring` sets the next time itself."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._due = math.inf
        self._waiting: asyncio.Task[None] | None = None

    def set(self, due: float) -> None:
        """Ring at this time (seconds since the epoch), or at the earlier time that is already set."""
        if due >= self._due:
            return
        self.cancel()
        self._due = due
        self._waiting = asyncio.create_task(self._wait(due))

    def cancel(self) -> None:
        """Do not ring."""
        if self._waiting:
            self._waiting.cancel()
        self._waiting, self._due = None, math.inf

    async def _wait(self, due: float) -> None:
        await self._clock.sleep(due - self._clock.time())
        # Reset before the call: otherwise `ring` could not set the alarm without cancelling this task.
        self._waiting, self._due = None, math.inf
        self._ring()
