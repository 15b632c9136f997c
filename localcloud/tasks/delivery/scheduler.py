"""The dispatching of one queue: it sleeps until a task is due and the queue's limits allow it; it never polls."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from localcloud.clock import Clock
from localcloud.disk import RETRY_SECONDS, DiskFull
from localcloud.protobuf import set_time
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery import attempt
from localcloud.tasks.delivery.attempt import SignToken
from localcloud.tasks.delivery.pace import Pace
from localcloud.tasks.delivery.retry import next_attempt
from localcloud.tasks.messages import PAUSED
from localcloud.tasks.model import Outcome, Outgoing, StoredQueue, StoredTask

#: Tasks read from the store at once; between batches the event loop serves others.
BATCH = 50
#: Tasks due this soon count as due: a sleep may end 0.2 µs early, the precision of seconds since 1970.
EARLY_SECONDS = 0.0005

#: Sends the request of an attempt; never raises.
Send = Callable[[Outgoing], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Statistics:
    """A queue's deliveries: those under way, those answered in the last minute, and the most in a second."""

    under_way: int = 0
    last_minute: int = 0
    rate: float = 0.0


class Scheduler:
    """Dispatches the tasks of one queue within its limits. The tasks stay in the store."""

    def __init__(self, queue: StoredQueue, store: Store, clock: Clock, send: Send, sign: SignToken) -> None:
        self._queue = queue
        self._store = store
        self._clock = clock
        self._send = send
        self._sign = sign
        limits = queue.message.rate_limits
        self._pace = Pace.full(limits.max_dispatches_per_second, limits.max_burst_size, clock.time())
        self._in_flight = 0
        self._under_way = 0  # those of RunTask too, which are beside the limits
        self._answered: deque[float] = deque()
        self._wake = asyncio.Event()
        self._alarm: tuple[float, asyncio.Task[None]] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._stopped = False

    def start(self) -> None:
        """Start dispatching."""
        self._spawn(self._dispatch())

    def wake(self) -> None:
        """Look for due tasks: a task was added, or the queue was changed."""
        self._wake.set()

    def limits_changed(self) -> None:
        """Apply the queue's rate limits."""
        limits = self._queue.message.rate_limits
        now = self._clock.time()
        self._pace = self._pace.limited(limits.max_dispatches_per_second, limits.max_burst_size, now)
        self.wake()

    def run(self, task: StoredTask) -> None:
        """Attempt the task now, regardless of the limits (RunTask)."""
        now = self._clock.time()
        set_time(task.message.schedule_time, now)
        attempt.begin(task, now)
        self._store.save_task(task, None)
        self._spawn(self._attempt(task))

    def statistics(self) -> Statistics:
        """The queue's deliveries at this moment."""
        self._forget(self._clock.time())
        return Statistics(self._under_way, len(self._answered), self._pace.rate * self._pace.factor)

    async def stop(self) -> None:
        """Stop dispatching and cancel attempts in flight."""
        self._stopped = True
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def retire(self) -> None:
        """The queue is deleted: stop dispatching; attempts in flight run to their end."""
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
            try:
                wait = self._dispatch_batch()
            except DiskFull:
                wait = RETRY_SECONDS
            if wait == 0:
                await asyncio.sleep(0)
            else:
                self._set_alarm(wait)
                await self._wake.wait()

    def _dispatch_batch(self) -> float | None:
        """Start the tasks that are due; seconds until the next may be due, None when only `wake` can bring one."""
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
            with self._store.transaction():
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
        self._under_way += 1
        try:
            outcome = await self._send(attempt.outgoing(task, self._queue.message, self._sign))
        finally:
            self._under_way -= 1
        now = self._clock.time()
        self._forget(now)
        self._answered.append(now)
        self._adjust_pace(outcome, now)
        await self._record(task, outcome, now)

    async def _record(self, task: StoredTask, outcome: Outcome, now: float) -> None:
        """Save the end of an attempt; on a full disk as soon as there is room, and until then the task is in flight."""
        while True:
            try:
                if outcome.is_success:
                    self._store.remove_task(task, now)
                elif current := self._store.task_of_key(task.key):
                    self._failed(current, outcome, now)
                return
            except DiskFull:
                await self._clock.sleep(RETRY_SECONDS)

    def _failed(self, task: StoredTask, outcome: Outcome, now: float) -> None:
        attempt.finish(task, outcome, now)
        due = next_attempt(task.message, self._queue.message.retry_config, outcome.asked_pause_seconds, now)
        if due is None:
            self._store.remove_task(task, now)
            return
        set_time(task.message.schedule_time, due)
        self._store.save_task(task, due)
        self.wake()

    def _adjust_pace(self, outcome: Outcome, now: float) -> None:
        if outcome.is_overload:
            self._pace = self._pace.slower(now, outcome.asked_pause_seconds)
        elif outcome.is_success:
            self._pace = self._pace.faster(now)

    def _forget(self, now: float) -> None:
        """Forget the answers that are more than a minute old."""
        while self._answered and self._answered[0] <= now - 60:
            self._answered.popleft()

    def _set_alarm(self, wait: float | None) -> None:
        """Wake after so many seconds, unless an alarm is set for that time or earlier."""
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
