"""Faults of messages before they are published: lost, repeated, delayed, reordered.

Delayed and reordered messages are held in memory only: they are lost when the process ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from localcloud.clock import Clock
from localcloud.faults.rules import Faults, Rule

Publish = Callable[[], Awaitable[Any]]
#: Time after which held messages are published, although the rule still waits for more.
REORDER_SECONDS = 5.0


class MessageFaults:
    """Applies the rules of one stream of messages (`notifications` or `messages`)."""

    def __init__(self, stream: str, faults: Faults, clock: Clock) -> None:
        self._stream = stream
        self._faults = faults
        self._clock = clock
        self._held: list[Publish] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, topic: str, publish: Publish) -> bool:
        """Apply the first rule that matches. False when the rule took the message over: the caller must not publish it."""
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
