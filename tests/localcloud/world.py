"""The base of the worlds of storage, Pub/Sub and tasks: one service in a thread with an event loop of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from localcloud.accounts import Accounts
from localcloud.address import PROJECT
from localcloud.clock import Clock, TurnedClock
from tests.ports import free_port

PATIENCE_SECONDS = 60

T = TypeVar("T")
W = TypeVar("W", bound="ServiceThread")


class ServiceThread:
    """A service with a data folder and a port. `_start` and `_stop` of a subclass run in the thread's event loop."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.accounts = Accounts(folder / "keys", PROJECT, self.url, clock)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Return once the service accepts connections."""
        self._thread.start()
        self.run(self._start())

    def stop(self) -> None:
        """Stop the service and end the thread."""
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that runs in the service's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    def turn(self, seconds: float) -> None:
        """Turn the clock, which must be a TurnedClock."""
        assert isinstance(self.clock, TurnedClock)
        self.run(self.clock.turn(seconds))

    async def _start(self) -> None:
        raise NotImplementedError

    async def _stop(self) -> None:
        raise NotImplementedError


@contextlib.contextmanager
def started(world: W) -> Iterator[W]:
    """The world, started, and stopped at the end."""
    world.start()
    try:
        yield world
    finally:
        world.stop()
