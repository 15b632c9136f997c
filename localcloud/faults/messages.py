"""Messages on their way into a topic that get lost, come twice, late, or in another order.

What a rule takes over is held in memory: a delayed or reordered message does not survive the death of the process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from localcloud.clock import Clock
from localcloud.faults.rules import Faults, Rule

Publish = Callable[[], Awaitable[Any]]
#: A reordering that waits for messages which never come ends by itself.
REORDER_SECONDS = 5.0


class Tamper:
    """The way into a topic, under the rules of one stream."""

    def __init__(self, stream: str, faults: Faults, clock: Clock) -> None:
        self._stream = stream
        self._faults = faults
        self._clock = clock
        self._held: list[Publish] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def through(self, topic: str, publish: Publish) -> bool:
        """Apply the rule that hits, if any; False when the message was taken over, and the caller must not publish it."""
        rule = self._faults.take(self._stream, topic)
        if rule is None:
            return True
        if rule.kind == "repeat":
            await publish()
            return True
        if rule.kind == "delay":
            self._spawn(self._later(rule.seconds, publish))
        elif rule.kind == "reorder":
            self._hold(rule, publish)
        return False

    def _hold(self, rule: Rule, publish: Publish) -> None:
        self._held.append(publish)
        if not rule.left:
            self._spawn(self._release())
        elif len(self._held) == 1:
            self._spawn(self._release_at_last())

    async def _later(self, seconds: float, publish: Publish) -> None:
        await self._clock.sleep(seconds)
        await publish()

    async def _release_at_last(self) -> None:
        await self._clock.sleep(REORDER_SECONDS)
        await self._release()

    async def _release(self) -> None:
        held, self._held = self._held, []
        for publish in reversed(held):
            await publish()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
