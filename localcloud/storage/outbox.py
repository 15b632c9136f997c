"""The outbox: publishes the waiting notifications until Pub/Sub accepts them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from localcloud.clock import Clock
from localcloud.disk import RETRY_SECONDS, DiskFull
from localcloud.errors import ApiError
from localcloud.storage.data.store import Store
from localcloud.storage.model import Message

#: Publishes data with attributes to a topic. Returns the message id.
Publish = Callable[[str, bytes, dict[str, str]], Awaitable[str]]

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 60.0
_BATCH = 200


class Outbox:
    """Delivers at least once and in order for each topic. After a refusal, a topic waits with exponential backoff."""

    def __init__(self, store: Store, clock: Clock, publish: Publish) -> None:
        self._store = store
        self._clock = clock
        self._publish = publish
        self._wake = asyncio.Event()
        self._delays: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start delivery, beginning with the messages that an earlier process left."""
        self._store.on_message = self._wake.set
        self._wake.set()
        self._spawn(self._run())

    async def stop(self) -> None:
        """Stop delivery; unpublished messages stay in the database."""
        self._store.on_message = lambda: None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while messages := self._store.messages.waiting(self._waiting, _BATCH):
                await self._deliver(messages)

    async def _deliver(self, messages: list[tuple[int, Message]]) -> None:
        published = []
        for identity, message in messages:
            if message.topic not in self._waiting and await self._accepts(message):
                self._delays.pop(message.topic, None)
                published.append(identity)
        await self._remove(published)

    async def _remove(self, published: list[int]) -> None:
        """Forget published messages; on a full disk as soon as there is room, for they would be published again."""
        while True:
            try:
                self._store.messages.remove(published)
                return
            except DiskFull:
                await self._clock.sleep(RETRY_SECONDS)

    async def _accepts(self, message: Message) -> bool:
        """Publish a message; after a failure, its topic waits."""
        try:
            await self._publish(message.topic, message.data, message.attributes)
        except DiskFull:
            self._hold(message.topic, RETRY_SECONDS)
            return False
        except ApiError:
            self._hold(message.topic)
            return False
        except Exception:
            log.exception("publishing to %s failed; will retry", message.topic)
            self._hold(message.topic)
            return False
        return True

    def _hold(self, topic: str, most_seconds: float = MAX_DELAY_SECONDS) -> None:
        delay = min(self._delays.get(topic, FIRST_DELAY_SECONDS), most_seconds)
        self._delays[topic] = min(2 * delay, MAX_DELAY_SECONDS)
        self._waiting.add(topic)
        self._spawn(self._release(topic, delay))

    async def _release(self, topic: str, delay: float) -> None:
        await self._clock.sleep(delay)
        self._waiting.discard(topic)
        self._wake.set()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
