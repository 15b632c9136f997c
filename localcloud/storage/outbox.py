"""The outbox: notifications committed with their objects, handed to Pub/Sub until it takes them."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from sqlite3 import Row

from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.storage.data.store import Store

Publish = Callable[[str, bytes, dict[str, str]], Awaitable[str]]

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 60.0
_BATCH = 200


class Outbox:
    """Delivers at least once, each topic in its own order; a topic that refuses is tried again, ever more rarely."""

    def __init__(self, store: Store, clock: Clock, publish: Publish) -> None:
        self._store = store
        self._clock = clock
        self._publish = publish
        self._wake = asyncio.Event()
        self._delays: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to deliver, first of all what an earlier process left."""
        self._store.on_message = self._wake.set
        self._wake.set()
        self._spawn(self._run())

    async def stop(self) -> None:
        """Stop; what is not yet taken stays in the database."""
        self._store.on_message = lambda: None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while rows := self._due():
                await self._deliver(rows)

    def _due(self) -> list[Row]:
        marks = ", ".join("?" * len(self._waiting))
        query = f"SELECT * FROM outbox WHERE topic NOT IN ({marks}) ORDER BY id LIMIT {_BATCH}"  # noqa: S608
        return self._store.database.execute(query, tuple(self._waiting)).fetchall()

    async def _deliver(self, rows: list[Row]) -> None:
        taken = []
        for row in rows:
            if row["topic"] in self._waiting:
                continue
            try:
                await self._publish(row["topic"], row["data"], json.loads(row["attributes"]))
            except ApiError:
                self._hold(row["topic"])
            except Exception:
                log.exception("could not publish to %s; it will be tried again", row["topic"])
                self._hold(row["topic"])
            else:
                self._delays.pop(row["topic"], None)
                taken.append(row["id"])
        marks = ", ".join("?" * len(taken))
        self._store.database.execute(f"DELETE FROM outbox WHERE id IN ({marks})", taken)  # noqa: S608

    def _hold(self, topic: str) -> None:
        delay = self._delays.get(topic, FIRST_DELAY_SECONDS)
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
