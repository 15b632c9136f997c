"""SQLite databases with a write-ahead log: `kill -9` loses no committed data."""

import shlex
import sqlite3
from pathlib import Path

from localcloud.errors import CannotRun
from localcloud.folder import LAYOUT, WrongLayout


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """Open (or create) `<data folder>/<service>/<name>.sqlite` in autocommit mode. Raises `CannotRun`.

    Group writes with `with transaction(database):`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.row_factory = sqlite3.Row
    _check_layout(database, path)
    database.execute("PRAGMA journal_mode = WAL")
    # NORMAL survives the death of the process; only a power cut could lose the last commits.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA foreign_keys = ON")
    database.executescript(schema)
    return database


def _check_layout(database: sqlite3.Connection, path: Path) -> None:
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

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")
