"""One call at the earliest of many times, on the local cloud's clock."""

import asyncio
import math
from collections.abc import Callable

from localcloud.clock import Clock


class Alarm:
    """Calls `ring` when the earliest time that was set has come; `ring` sets the next."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._due = math.inf
        self._waiting: asyncio.Task[None] | None = None

    def set(self, due: float) -> None:
        """Ring at that time (seconds since the epoch) or earlier."""
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
        # Forgotten first, for `ring` to set it again without cancelling itself.
        self._waiting, self._due = None, math.inf
        self._ring()
