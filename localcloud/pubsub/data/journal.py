"""Group commit: all writes of one turn of the event loop reach the disk in one transaction."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.database import Database, connect, transaction
from localcloud.disk import RETRY_SECONDS, DiskFull

log = logging.getLogger(__name__)

#: Interval between checkpoints under load; the write-ahead log grows meanwhile.
CHECKPOINT_SECONDS = 0.2
#: Size of the write-ahead log at which SQLite's writer makes the checkpoint itself: 64 MB in pages of 4 KB.
MAX_LOG_PAGES = 16_000


#: Statement → the values of each of its executions.
Turn = dict[str, list[tuple[object, ...]]]


class Journal:
    """Collects writes until the end of the turn. Await `committed()` before an answer that promises durability.

    Writes of one statement are executed together. Two statements that touch the same row in one turn must therefore not depend
    on their order. Turns that find no room on the disk are kept in memory, in their order, and tried again.
    """

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._checkpoints = _Checkpoints(database, path)
        self._turns: list[Turn] = []
        self._writes: Turn = {}
        self._beforehand: list[Callable[[], None]] = []
        self._afterwards: list[Callable[[], None]] = []
        self._committed: asyncio.Future[None] | None = None
        self._timer: asyncio.Handle | None = None

    def close(self) -> None:
        """Commit all pending writes; accept no more."""
        self.end_turn()
        if self._timer is not None:  # a full disk: acknowledgements that are lost here were answered with an error
            self._timer.cancel()
        self._checkpoints.close()

    def write(self, statement: str, values: tuple[object, ...]) -> None:
        """Execute the statement at the end of the turn."""
        self._writes.setdefault(statement, []).append(values)
        self._schedule()

    def before_commit(self, action: Callable[[], None]) -> None:
        """Call the action at the end of the turn, to write what has changed in the course of it."""
        self._beforehand.append(action)
        self._schedule()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call the action immediately after the commit of all writes so far."""
        self._afterwards.append(action)
        self._schedule()

    async def committed(self) -> None:
        """Return when all writes so far are on disk. Raises `DiskFull`, or `sqlite3.Error` when the commit fails."""
        if self._timer is None:
            return
        if self._committed is None:
            self._committed = asyncio.get_running_loop().create_future()
        # Shielded: the cancellation of one waiter must not cancel the future of the others.
        await asyncio.shield(self._committed)

    def end_turn(self) -> None:
        """Commit all pending writes now; those that find no room are kept."""
        with contextlib.suppress(DiskFull):
            self.flush()

    def flush(self) -> None:
        """Commit all pending writes now. Raises `DiskFull`: they are kept, and committed when there is room."""
        beforehand, self._beforehand = self._beforehand, []
        for action in beforehand:
            action()
        if self._timer is not None:
            self._timer.cancel()
        if self._writes:
            self._turns.append(self._writes)
        turns, afterwards, committed = self._turns, self._afterwards, self._committed
        self._turns, self._writes, self._afterwards, self._committed, self._timer = [], {}, [], None, None
        try:
            self._commit(turns)
        except DiskFull as full:
            self._turns, self._afterwards = turns, afterwards
            self._timer = asyncio.get_running_loop().call_later(RETRY_SECONDS, self.end_turn)
            _settle(committed, full)
            raise
        except sqlite3.Error as error:
            log.error("could not write to disk: %s", error)
            _settle(committed, error)
            return
        for action in afterwards:
            action()
        _settle(committed)

    def _commit(self, turns: list[Turn]) -> None:
        if not turns:
            return
        with transaction(self._database) as database:
            for writes in turns:
                for statement, values in writes.items():
                    database.executemany(statement, values)
        self._checkpoints.request()

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self.end_turn)


def _settle(committed: asyncio.Future[None] | None, error: Exception | None = None) -> None:
    """End the wait for a commit, with its error if it has one."""
    if committed is None:
        return
    if error:
        committed.set_exception(error)
    else:
        committed.set_result(None)


class _Checkpoints:
    """Copies commits from the write-ahead log into the database file, in a thread beside the event loop."""

    def __init__(self, database: Database, path: Path) -> None:
        database.execute(f"PRAGMA wal_autocheckpoint = {MAX_LOG_PAGES}")
        database.execute(f"PRAGMA journal_size_limit = {MAX_LOG_PAGES * 4096}")
        self._database = connect(path, database.disk)
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
        except DiskFull:
            pass  # the log stays, and the checkpoint after the next commit copies it
        except sqlite3.Error as error:
            log.warning("checkpoint of the write-ahead log failed: %s", error)
