"""One queue's dispatching: sleeps until a task is due and the queue may dispatch, and never looks in vain."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from localcloud.clock import Clock
from localcloud.tasks.data.store import Store, StoredQueue, StoredTask
from localcloud.tasks.delivery import attempt, retry
from localcloud.tasks.delivery.attempt import Outcome, Outgoing, SignToken
from localcloud.tasks.delivery.pace import Pace
from localcloud.tasks.messages import PAUSED, seconds, set_time

#: So many tasks are taken from the store at once; the loop is free for others in between.
BATCH = 50
#: Sleeping until a time since 1970 may end 0.2 µs before it; that must not mean sleeping once more.
EARLY_SECONDS = 0.0005

#: Makes an attempt's request; it never raises.
Send = Callable[[Outgoing], Awaitable[Outcome]]


class Scheduler:
    """Dispatches the tasks of one queue within its limits. It keeps no tasks: those are in the store."""

    def __init__(self, queue: StoredQueue, store: Store, clock: Clock, send: Send, sign: SignToken) -> None:
        self._queue = queue
        self._store = store
        self._clock = clock
        self._send = send
        self._sign = sign
        limits = queue.message.rate_limits
        self._pace = Pace.full(limits.max_dispatches_per_second, limits.max_burst_size, clock.time())
        self._in_flight = 0
        self._wake = asyncio.Event()
        self._alarm: tuple[float, asyncio.Task[None]] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._stopped = False

    def start(self) -> None:
        """Begin to dispatch."""
        self._spawn(self._dispatch())

    def wake(self) -> None:
        """Look again: there is a new task, or the queue was changed."""
        self._wake.set()

    def limits_changed(self) -> None:
        """Dispatch at the pace that the queue has now."""
        limits = self._queue.message.rate_limits
        now = self._clock.time()
        self._pace = self._pace.limited(limits.max_dispatches_per_second, limits.max_burst_size, now)
        self.wake()

    def run(self, task: StoredTask) -> None:
        """Make an attempt now, whatever the limits (RunTask)."""
        now = self._clock.time()
        set_time(task.message.schedule_time, now)
        attempt.begin(task, now)
        self._store.save_task(task, None)
        self._spawn(self._attempt(task))

    async def stop(self) -> None:
        """Stop dispatching and cut off what is in flight."""
        self._stopped = True
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def retire(self) -> None:
        """The queue is deleted: dispatch no more; attempts in flight end by themselves."""
        self._stopped = True
        if self._alarm:
            self._alarm[1].cancel()
        self.wake()

    @property
    def is_busy(self) -> bool:
        """Whether an attempt is still in flight."""
        return bool(self._running)

    async def _dispatch(self) -> None:
        while not self._stopped:
            self._wake.clear()
            wait = self._dispatch_batch()
            if wait == 0:
                await asyncio.sleep(0)
            else:
                self._set_alarm(wait)
                await self._wake.wait()

    def _dispatch_batch(self) -> float | None:
        """Start what may start; seconds until there may be more, None when only an event can bring it."""
        limits = self._queue.message.rate_limits
        room = limits.max_concurrent_dispatches - self._in_flight
        if self._queue.message.state == PAUSED or room <= 0:
            return None
        now = self._clock.time()
        if (free := self._pace.available(now)) and (started := self._start_due(min(room, free, BATCH), now)):
            self._pace = self._pace.take(started, now)
            return 0
        next_due = self._store.next_due(self._queue)
        return None if next_due is None else max(self._pace.wait_seconds(now), next_due - now)

    def _start_due(self, count: int, now: float) -> int:
        tasks = self._store.due(self._queue, now + EARLY_SECONDS, count)
        if tasks:
            with self._store.together():
                for task in tasks:
                    attempt.begin(task, now)
                    self._store.save_task(task, None)
        for task in tasks:
            self._in_flight += 1
            self._spawn(self._attempt_in_turn(task))
        return len(tasks)

    async def _attempt_in_turn(self, task: StoredTask) -> None:
        try:
            await self._attempt(task)
        finally:
            self._in_flight -= 1
            self.wake()

    async def _attempt(self, task: StoredTask) -> None:
        outcome = await self._send(attempt.outgoing(task, self._queue.message, self._sign))
        now = self._clock.time()
        self._adjust_pace(outcome, now)
        if outcome.is_success:
            self._store.remove_task(task, now)
        elif current := self._store.task_of_key(task.key):
            self._failed(current, outcome, now)

    def _failed(self, task: StoredTask, outcome: Outcome, now: float) -> None:
        attempt.finish(task, outcome, now)
        message, config = task.message, self._queue.message.retry_config
        elapsed = now - seconds(message.first_attempt.dispatch_time)
        pause = max(retry.backoff_seconds(config, message.dispatch_count), outcome.asked_pause_seconds)
        age = now + pause - seconds(message.create_time)
        if retry.is_used_up(config, message.dispatch_count, elapsed) or age > retry.RETENTION_SECONDS:
            self._store.remove_task(task, now)
            return
        set_time(message.schedule_time, now + pause)
        self._store.save_task(task, now + pause)
        self.wake()

    def _adjust_pace(self, outcome: Outcome, now: float) -> None:
        if outcome.is_overload:
            self._pace = self._pace.slower(now, outcome.asked_pause_seconds)
        elif outcome.is_success:
            self._pace = self._pace.faster(now)

    def _set_alarm(self, wait: float | None) -> None:
        """Wake after so many seconds; an alarm that rings sooner or at that time is left as it is."""
        at = None if wait is None else self._clock.time() + wait
        if self._alarm and not self._alarm[1].done():
            if at is None or self._alarm[0] <= at:
                return
            self._alarm[1].cancel()
        if at is not None and wait is not None:
            self._alarm = (at, self._spawn(self._ring(wait)))

    async def _ring(self, seconds_to_wait: float) -> None:
        await self._clock.sleep(seconds_to_wait)
        self.wake()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
