"""The schedulers: one per queue, so that a slow queue delays no other."""

import asyncio

from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.attempt import SignToken
from localcloud.tasks.delivery.scheduler import Scheduler, Send, Statistics
from localcloud.tasks.model import StoredQueue, StoredTask


class Dispatcher:
    """Handlers call it after each change of queues and tasks is stored. Before `start` it ignores changes."""

    def __init__(self, store: Store, clock: Clock, send: Send, sign: SignToken) -> None:
        self._store = store
        self._clock = clock
        self._send = send
        self._sign = sign
        self._schedulers: dict[int, Scheduler] = {}
        self._retired: list[Scheduler] = []
        self._started = False
        self.is_stopped = False

    async def start(self) -> None:
        """Start a scheduler per queue. Tasks in flight when the process ended are due at once."""
        self._store.recover(self._clock.time())
        self._started = True
        for queue in self._store.queues():
            self.queue_added(queue)

    async def stop(self) -> None:
        """Stop all dispatching, for good."""
        self._started, self.is_stopped = False, True
        everyone = [*self._schedulers.values(), *self._retired]
        await asyncio.gather(*(scheduler.stop() for scheduler in everyone))

    def queue_added(self, queue: StoredQueue) -> None:
        """Start to dispatch the queue's tasks."""
        if self._started:
            scheduler = Scheduler(queue, self._store, self._clock, self._send, self._sign)
            self._schedulers[queue.key] = scheduler
            scheduler.start()

    def queue_changed(self, queue: StoredQueue) -> None:
        """Apply the queue's new limits and state."""
        if scheduler := self._schedulers.get(queue.key):
            scheduler.limits_changed()

    def queue_removed(self, queue: StoredQueue) -> None:
        """Stop dispatching the queue's tasks; attempts in flight run to their end."""
        if scheduler := self._schedulers.pop(queue.key, None):
            scheduler.retire()
            self._retired = [retired for retired in self._retired if retired.is_busy] + [scheduler]

    def task_added(self, queue: StoredQueue) -> None:
        """Dispatch the queue's new task when it is due."""
        if scheduler := self._schedulers.get(queue.key):
            scheduler.wake()

    def statistics(self, queue: StoredQueue) -> Statistics:
        """The queue's deliveries at this moment; none before `start`."""
        scheduler = self._schedulers.get(queue.key)
        return scheduler.statistics() if scheduler else Statistics()

    def run(self, queue: StoredQueue, task: StoredTask) -> None:
        """Attempt this task now. Raises `ApiError` (UNAVAILABLE) before `start` and after `stop`."""
        scheduler = self._schedulers.get(queue.key)
        if scheduler is None:
            raise ApiError("UNAVAILABLE", "The local Cloud Tasks is starting or stopping.")
        scheduler.run(task)
