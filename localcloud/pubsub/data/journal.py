"""Group commit: all writes made in one turn of the event loop reach the disk in one transaction."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable

from localcloud.database import transaction
from localcloud.pubsub.data.checkpoints import Checkpoints

log = logging.getLogger(__name__)


class Journal:
    """Writes wait here for the end of the turn; who must not answer before they are safe awaits `committed()`.

    Writes of one statement are executed together, so two statements that touch the same row within one turn must
    not depend on their order.
    """

    def __init__(self, database: sqlite3.Connection, checkpoints: Checkpoints) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._writes: dict[str, list[tuple[object, ...]]] = {}
        self._afterwards: list[Callable[[], None]] = []
        self._committed: asyncio.Future[None] | None = None
        self._timer: asyncio.Handle | None = None

    def write(self, statement: str, values: tuple[object, ...]) -> None:
        """Execute this before the turn is over."""
        self._writes.setdefault(statement, []).append(values)
        self._schedule()

    def afterwards(self, action: Callable[[], None]) -> None:
        """Call this as soon as all that was written so far is committed, in the same breath."""
        self._afterwards.append(action)
        self._schedule()

    async def committed(self) -> None:
        """Return when all that was written so far is on disk."""
        if self._timer is None:
            return
        if self._committed is None:
            self._committed = asyncio.get_running_loop().create_future()
        # Shielded: one impatient client must not cancel what the others wait for.
        await asyncio.shield(self._committed)

    def flush(self) -> None:
        """Commit what is waiting now."""
        if self._timer is not None:
            self._timer.cancel()
        writes, afterwards, committed = self._writes, self._afterwards, self._committed
        self._writes, self._afterwards, self._committed, self._timer = {}, [], None, None
        try:
            self._commit(writes)
        except sqlite3.Error as error:
            log.error("could not write to disk: %s", error)
            if committed:
                committed.set_exception(error)
            return
        for action in afterwards:
            action()
        if committed:
            committed.set_result(None)

    def _commit(self, writes: dict[str, list[tuple[object, ...]]]) -> None:
        if not writes:
            return
        with transaction(self._database) as database:
            for statement, values in writes.items():
                database.executemany(statement, values)
        self._checkpoints.request()

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self.flush)
