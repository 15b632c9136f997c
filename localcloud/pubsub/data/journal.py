"""Group commit: all writes of one turn of the event loop reach the disk in one transaction."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.database import transaction

log = logging.getLogger(__name__)

#: Interval between checkpoints under load; the write-ahead log grows meanwhile.
CHECKPOINT_SECONDS = 0.2
#: Size of the write-ahead log at which SQLite's writer makes the checkpoint itself: 64 MB in pages of 4 KB.
MAX_LOG_PAGES = 16_000


class Journal:
    """Collects writes until the end of the turn. Await `committed()` before an answer that promises durability.

    Writes of one statement are executed together. Two statements that touch the same row in one turn must therefore not depend
    on their order.
    """

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database = database
        self._checkpoints = _Checkpoints(database, path)
        self._writes: dict[str, list[tuple[object, ...]]] = {}
        self._afterwards: list[Callable[[], None]] = []
        self._committed: asyncio.Future[None] | None = None
        self._timer: asyncio.Handle | None = None

    def close(self) -> None:
        """Commit all pending writes; accept no more."""
        self.flush()
        self._checkpoints.close()

    def write(self, statement: str, values: tuple[object, ...]) -> None:
        """Execute the statement at the end of the turn."""
        self._writes.setdefault(statement, []).append(values)
        self._schedule()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call the action immediately after the commit of all writes so far."""
        self._afterwards.append(action)
        self._schedule()

    async def committed(self) -> None:
        """Return when all writes so far are on disk. Raises `sqlite3.Error` when the commit fails."""
        if self._timer is None:
            return
        if self._committed is None:
            self._committed = asyncio.get_running_loop().create_future()
        # Shielded: the cancellation of one waiter must not cancel the future of the others.
        await asyncio.shield(self._committed)

    def flush(self) -> None:
        """Commit all pending writes now."""
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


class _Checkpoints:
    """Copies commits from the write-ahead log into the database file, in a thread beside the event loop."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        database.execute(f"PRAGMA wal_autocheckpoint = {MAX_LOG_PAGES}")
        database.execute(f"PRAGMA journal_size_limit = {MAX_LOG_PAGES * 4096}")
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._timer: asyncio.TimerHandle | None = None

    def request(self) -> None:
        """Make a checkpoint soon, after a commit."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CHECKPOINT_SECONDS, self._begin)

    def close(self) -> None:
        """Make no more checkpoints. SQLite makes the last one when the file is closed."""
        if self._timer:
            self._timer.cancel()
        self._thread.shutdown()
        self._database.close()

    def _begin(self) -> None:
        self._timer = None
        self._thread.submit(self._run)

    def _run(self) -> None:
        try:
            self._database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            log.warning("checkpoint of the write-ahead log failed: %s", error)
