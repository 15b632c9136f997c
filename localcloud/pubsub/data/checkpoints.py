"""Moves what is committed from SQLite's write-ahead log to its place in the file: beside the event loop, not in it."""

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

log = logging.getLogger(__name__)

#: Under load as often as this; the log grows meanwhile.
PERIOD_SECONDS = 0.2
#: Where SQLite lets the writer do it after all, so that the log has an end: 64 MB in pages of 4 KB.
MOST_PAGES = 16_000


class Checkpoints:
    """One at a time, in a thread of its own, a while after something was committed."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        database.execute(f"PRAGMA wal_autocheckpoint = {MOST_PAGES}")
        database.execute(f"PRAGMA journal_size_limit = {MOST_PAGES * 4096}")
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._timer: asyncio.TimerHandle | None = None

    def request(self) -> None:
        """Something was committed."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_SECONDS, self._begin)

    def close(self) -> None:
        """Begin no more; SQLite itself does the rest when the file is closed."""
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
            log.warning("the write-ahead log stays as it is: %s", error)
