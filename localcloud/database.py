"""SQLite databases with a write-ahead log: `kill -9` loses no committed data."""

import shlex
import sqlite3
from pathlib import Path
from typing import Any

from localcloud.disk import Disk, disk_of
from localcloud.errors import CannotRun
from localcloud.folder import LAYOUT, WrongLayout

#: The second is that of a log's index, which has no room.
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})


class Database(sqlite3.Connection):
    """A connection whose writes raise `DiskFull` when they find no room."""

    disk: Disk

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute one statement."""
        try:
            return super().execute(*arguments)
        except sqlite3.OperationalError as error:
            raise self._refusal(error) from None

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute one statement for each of several rows."""
        try:
            return super().executemany(*arguments)
        except sqlite3.OperationalError as error:
            raise self._refusal(error) from None

    def executescript(self, script: str) -> sqlite3.Cursor:
        """Execute several statements."""
        try:
            return super().executescript(script)
        except sqlite3.OperationalError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: sqlite3.OperationalError) -> Exception:
        return self.disk.full() if error.sqlite_errorcode in _FULL else error


def open_database(path: Path, schema: str) -> Database:
    """Open (or create) `<data folder>/<service>/<name>.sqlite` in autocommit mode. Raises `CannotRun`, `DiskFull`.

    Group writes with `with transaction(database):`.
    """
    disk = disk_of(path.parent.parent)
    with disk.watched():
        path.parent.mkdir(parents=True, exist_ok=True)
    database = connect(path, disk)
    database.row_factory = sqlite3.Row
    _check_layout(database, path)
    database.execute("PRAGMA journal_mode = WAL")
    # NORMAL survives the death of the process; only a power cut could lose the last commits.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA foreign_keys = ON")
    database.executescript(schema)
    return database


def connect(path: Path, disk: Disk) -> Database:
    """A connection in autocommit mode to a file on that disk."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Database)
    database.disk = disk
    return database


def _check_layout(database: Database, path: Path) -> None:
    """Compare the version in the file. A new file gets it before its tables, in case of a crash between the two."""
    try:
        found = database.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        database.close()
        remedy = f"reset --data {shlex.quote(str(path.parent.parent))}"
        raise CannotRun(f"{path} cannot be read ({error}); delete the data folder", remedy) from None
    if found == LAYOUT:
        return
    if found or database.execute("SELECT 1 FROM sqlite_master").fetchone():
        database.close()
        raise WrongLayout(path.parent.parent, found)
    database.execute(f"PRAGMA user_version = {LAYOUT}")


class transaction:  # noqa: N801  (reads as a statement: `with transaction(db):`)
    """All writes of the block are committed together, or none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Database:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._database.execute("COMMIT")
        finally:
            # On a full disk SQLite has ended it already.
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
