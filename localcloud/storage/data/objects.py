"""Rows of objects, one for every generation."""

import json
from collections.abc import Callable
from operator import attrgetter
from sqlite3 import Connection
from typing import Any

from localcloud.storage.model import Object

_COLUMNS = (
    "bucket, name, generation, metageneration, created, updated, deleted, content, size, crc32c, md5, components, settings"
)
_values = attrgetter(*_COLUMNS.split(", ")[:-1])
_INSERT = f"INSERT INTO objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_NEWEST = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name = ? ORDER BY generation DESC LIMIT 1"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name = ? AND generation = ?"  # noqa: S608
_PAGE = (
    f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name >= ? AND (name > ? OR generation > ?) "  # noqa: S608
    "AND (? OR deleted IS NULL) ORDER BY name, generation LIMIT ?"
)


class Objects:
    """Reads and writes single rows; `Store` groups them into transactions."""

    def __init__(self, database: Connection) -> None:
        self._database = database

    def last_generation(self) -> int:
        """The largest generation; 0 without objects."""
        row = self._database.execute("SELECT max(generation) FROM objects").fetchone()
        return row[0] or 0

    def live(self, bucket: str, name: str) -> Object | None:
        """The live generation: the newest one, unless it was deleted."""
        row = self._database.execute(_NEWEST, (bucket, name)).fetchone()
        return _object(row) if row and row["deleted"] is None else None

    def one(self, bucket: str, name: str, generation: int) -> Object | None:
        """One generation, live or not."""
        row = self._database.execute(_ONE, (bucket, name, generation)).fetchone()
        return _object(row) if row else None

    def page(self, bucket: str, after: tuple[str, int], versions: bool, limit: int) -> list[Object]:
        """The next objects after a name and generation, in their order; with `versions`, noncurrent ones too."""
        name, generation = after
        rows = self._database.execute(_PAGE, (bucket, name, name, generation, versions, limit))
        return [_object(row) for row in rows]

    def count_newer(self, found: Object) -> int:
        """The number of newer generations of the same name."""
        query = "SELECT count(*) FROM objects WHERE bucket = ? AND name = ? AND generation > ?"
        return int(self._database.execute(query, _key(found)).fetchone()[0])

    def is_empty(self, bucket: str) -> bool:
        """Whether a bucket has no generation of any object."""
        return self._database.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)).fetchone() is None

    def insert(self, new: Object) -> None:
        """Add a generation."""
        self._database.execute(_INSERT, (*_values(new), json.dumps(new.settings)))

    def update(self, changed: Object) -> None:
        """Write the fields that may change: metageneration, times and settings."""
        values = (changed.metageneration, changed.updated, changed.deleted, json.dumps(changed.settings))
        self._database.execute(
            "UPDATE objects SET metageneration = ?, updated = ?, deleted = ?, settings = ? "
            "WHERE bucket = ? AND name = ? AND generation = ?",
            (*values, *_key(changed)),
        )

    def delete(self, old: Object) -> None:
        """Remove a generation."""
        self._database.execute("DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?", _key(old))


def _key(stored: Object) -> tuple[str, str, int]:
    return stored.bucket, stored.name, stored.generation


def _object(row: Any) -> Object:
    *columns, settings = row
    make: Callable[..., Object] = Object
    return make(*columns, json.loads(settings))
