"""All queues' schedulers. Each queue has its own, so that a slow one delays no other."""

import asyncio

from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.tasks.data.store import Store, StoredQueue, StoredTask
from localcloud.tasks.delivery.attempt import SignToken
from localcloud.tasks.delivery.scheduler import Scheduler, Send


class Dispatcher:
    """Told of every change of queues and tasks after it is on disk; before `start` it just listens."""

    def __init__(self, store: Store, clock: Clock, send: Send, sign: SignToken) -> None:
        self._store = store
        self._clock = clock
        self._send = send
        self._sign = sign
        self._schedulers: dict[int, Scheduler] = {}
        self._retired: list[Scheduler] = []
        self._started = False

    async def start(self) -> None:
        """Dispatch what is due, including what was in flight when the process last ended."""
        self._store.recover(self._clock.time())
        self._started = True
        for queue in self._store.queues():
            self.queue_added(queue)

    async def stop(self) -> None:
        """Stop all dispatching."""
        self._started = False
        everyone = [*self._schedulers.values(), *self._retired]
        await asyncio.gather(*(scheduler.stop() for scheduler in everyone))

    def queue_added(self, queue: StoredQueue) -> None:
        """Begin to dispatch this queue's tasks."""
        if self._started:
            scheduler = Scheduler(queue, self._store, self._clock, self._send, self._sign)
            self._schedulers[queue.key] = scheduler
            scheduler.start()

    def queue_changed(self, queue: StoredQueue) -> None:
        """Mind its new limits and state."""
        if scheduler := self._schedulers.get(queue.key):
            scheduler.limits_changed()

    def queue_removed(self, queue: StoredQueue) -> None:
        """Dispatch no more of it; attempts in flight end by themselves."""
        if scheduler := self._schedulers.pop(queue.key, None):
            scheduler.retire()
            self._retired = [retired for retired in self._retired if retired.is_busy] + [scheduler]

    def task_added(self, queue: StoredQueue) -> None:
        """There is a new task."""
        if scheduler := self._schedulers.get(queue.key):
            scheduler.wake()

    def run(self, queue: StoredQueue, task: StoredTask) -> None:
        """Make an attempt at this task now."""
        scheduler = self._schedulers.get(queue.key)
        if scheduler is None:
            raise ApiError("UNAVAILABLE", "The local Cloud Tasks is starting or stopping.")
        scheduler.run(task)
