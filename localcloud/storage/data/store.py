"""What Cloud Storage knows: buckets and objects in SQLite, bytes in files, and the outbox of notifications.

Every change, its preconditions and its notifications are one transaction.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from localcloud.clock import Clock
from localcloud.database import open_database, transaction
from localcloud.storage.data.contents import Contents
from localcloud.storage.data.schema import SCHEMA
from localcloud.storage.errors import StorageError, no_bucket, no_object
from localcloud.storage.model import Bucket, Draft, Object, Settings
from localcloud.storage.rules.conditions import NONE, Conditions
from localcloud.storage.rules.notifications import ARCHIVE, DELETE, FINALIZE, METADATA_UPDATE, Event, messages

_COLUMNS = (
    "bucket, name, generation, metageneration, created, updated, deleted, content, size, crc32c, md5, components, settings"
)
_INSERT = f"INSERT INTO objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_LIVE = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name = ? AND deleted IS NULL"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name = ? AND generation = ?"  # noqa: S608
_PAGE = (
    f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND name >= ? AND (name > ? OR generation > ?) "  # noqa: S608
    "AND (? OR deleted IS NULL) ORDER BY name, generation LIMIT ?"
)
_KEY = "bucket = ? AND name = ? AND generation = ?"


class Store:
    """Buckets and objects. Single process, single thread: buckets are also kept in memory."""

    def __init__(self, folder: Path, clock: Clock, project: str) -> None:
        self.clock = clock
        self.project = project
        self.database = open_database(folder / "storage.sqlite", SCHEMA)
        self.contents = Contents(folder / "contents", self.database)
        self.on_message: Callable[[], None] = lambda: None
        self._has_messages = False
        self.buckets = {bucket.name: bucket for bucket in map(_bucket, self.database.execute("SELECT * FROM buckets"))}
        row = self.database.execute("SELECT max(generation) FROM objects").fetchone()
        self._last_generation: int = row[0] or 0

    def sweep(self) -> None:
        """Remove the bytes of uploads that were never acknowledged; unfinished ones may still be continued."""
        known = self.database.execute(
            "SELECT content FROM objects UNION ALL SELECT content FROM uploads WHERE finished IS NULL "
            "UNION ALL SELECT parts.content FROM parts JOIN uploads ON id = upload WHERE finished IS NULL"
        )
        self.contents.sweep({row[0] for row in known})

    def bucket(self, name: str) -> Bucket:
        """The bucket; 404 when there is none."""
        try:
            return self.buckets[name]
        except KeyError:
            raise no_bucket(name) from None

    def save_bucket(self, bucket: Bucket) -> Bucket:
        """Create or replace a bucket."""
        values = (bucket.name, bucket.project, bucket.created, bucket.updated, bucket.metageneration)
        texts = (json.dumps(value) for value in (bucket.settings, bucket.policy, bucket.notifications))
        update = "project=?2, created=?3, updated=?4, metageneration=?5, settings=?6, policy=?7, notifications=?8"
        self.database.execute(
            f"INSERT INTO buckets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET {update}",  # noqa: S608
            (*values, *texts),
        )
        self.buckets[bucket.name] = bucket
        return bucket

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket; 409 while it holds any generation of any object."""
        if self.database.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
            raise StorageError(409, "conflict", "The bucket you tried to delete is not empty.", "BucketNotEmpty")
        self.database.execute("DELETE FROM buckets WHERE name = ?", (name,))
        del self.buckets[name]

    def find(self, bucket: str, name: str, generation: int | None = None) -> Object:
        """The live object, or one generation; 404 names what is missing."""
        self.bucket(bucket)
        found = self._live(bucket, name) if generation is None else self._one(bucket, name, generation)
        if found is None:
            raise no_object(bucket, name)
        return found

    def page(self, bucket: str, after: tuple[str, int], versions: bool, limit: int) -> list[Object]:
        """The next objects in the order of names and generations."""
        name, generation = after
        rows = self.database.execute(_PAGE, (bucket, name, name, generation, versions, limit))
        return [_object(row) for row in rows]

    def newer(self, found: Object) -> int:
        """How many newer generations of the same name there are."""
        query = "SELECT count(*) FROM objects WHERE bucket = ? AND name = ? AND generation > ?"
        row = self.database.execute(query, (found.bucket, found.name, found.generation)).fetchone()
        return int(row[0])

    def put(self, draft: Draft, conditions: Conditions, base: str, upload: str = "") -> Object:
        """Make the draft the live generation; its bytes are removed when that is refused.

        With `upload`, the id of a resumable upload, that is marked as finished in the same transaction.
        """
        try:
            bucket = self.bucket(draft.bucket)
            now = self.clock.time()
            with self._change() as garbage:
                old = self._live(draft.bucket, draft.name)
                _check_write(conditions, old)
                new = self._new(draft, bucket, now)
                if old:
                    garbage += self._retire(old, bucket, now, base, new.generation)
                self._insert(new)
                self._announce(bucket, Event(FINALIZE, new, now, old.generation if old else None), base)
                if upload:
                    self.database.execute("UPDATE uploads SET finished = ? WHERE id = ?", (json.dumps(asdict(new)), upload))
            return new
        except BaseException:
            self.contents.remove([draft.content])
            raise

    def update(self, found: Object, conditions: Conditions, settings: Settings, base: str, time: float | None = None) -> Object:
        """Replace what a client may set; the metageneration counts such changes."""
        now = time or self.clock.time()
        with self._change():
            old = self.find(found.bucket, found.name, found.generation)
            conditions.check_write(old.generation, old.metageneration)
            new = replace(old, metageneration=old.metageneration + 1, updated=now, settings=settings)
            self.database.execute(
                f"UPDATE objects SET metageneration = ?, updated = ?, settings = ? WHERE {_KEY}",  # noqa: S608
                (new.metageneration, now, json.dumps(settings), new.bucket, new.name, new.generation),
            )
            self._announce(self.bucket(new.bucket), Event(METADATA_UPDATE, new, now), base)
        return new

    def delete(self, bucket_name: str, name: str, generation: int | None, conditions: Conditions, base: str) -> None:
        """Delete an object: the named generation for good, the live one as the bucket's versioning says."""
        now = self.clock.time()
        bucket = self.bucket(bucket_name)
        with self._change() as garbage:
            old = self.find(bucket_name, name, generation)
            _check_write(conditions, old)
            if generation is None:
                garbage += self._retire(old, bucket, now, base)
            else:
                garbage += self._erase(old)
                self._announce(bucket, Event(DELETE, replace(old, deleted=old.deleted or now), now), base)

    def _retire(self, old: Object, bucket: Bucket, now: float, base: str, overwritten_by: int | None = None) -> list[str]:
        kept = replace(old, deleted=now)
        if not bucket.is_versioned:
            self._announce(bucket, Event(DELETE, kept, now, overwritten_by), base)
            return self._erase(old)
        self.database.execute(
            f"UPDATE objects SET deleted = ? WHERE {_KEY}",  # noqa: S608
            (now, old.bucket, old.name, old.generation),
        )
        self._announce(bucket, Event(ARCHIVE, kept, now, overwritten_by), base)
        return []

    def _erase(self, old: Object) -> list[str]:
        self.database.execute(f"DELETE FROM objects WHERE {_KEY}", (old.bucket, old.name, old.generation))  # noqa: S608
        return self.contents.drop(old)

    def _insert(self, new: Object) -> None:
        values = [getattr(new, column) for column in _COLUMNS.split(", ")[:-1]]
        self.database.execute(_INSERT, (*values, json.dumps(new.settings)))

    def _new(self, draft: Draft, bucket: Bucket, now: float) -> Object:
        self._last_generation = max(self._last_generation + 1, int(now * 1e6))
        default = bucket.settings.get("storageClass")
        settings = {"storageClass": default, **draft.settings} if default else draft.settings
        return Object(
            draft.bucket,
            draft.name,
            self._last_generation,
            1,
            now,
            now,
            None,
            self.contents.keep(self._last_generation, draft.content),
            draft.size,
            draft.crc32c,
            draft.md5,
            draft.components,
            settings,
        )

    def _live(self, bucket: str, name: str) -> Object | None:
        row = self.database.execute(_LIVE, (bucket, name)).fetchone()
        return _object(row) if row else None

    def _one(self, bucket: str, name: str, generation: int) -> Object | None:
        row = self.database.execute(_ONE, (bucket, name, generation)).fetchone()
        return _object(row) if row else None

    def _announce(self, bucket: Bucket, event: Event, base: str) -> None:
        if not bucket.notifications:
            return
        self._has_messages = True
        for message in messages(event, bucket.notifications, base):
            self.database.execute(
                "INSERT INTO outbox (topic, data, attributes) VALUES (?, ?, ?)",
                (message.topic, message.data, json.dumps(message.attributes)),
            )

    @contextmanager
    def _change(self) -> Iterator[list[str]]:
        garbage: list[str] = []
        with transaction(self.database):
            yield garbage
        self.contents.remove(garbage)
        if self._has_messages:
            self._has_messages = False
            self.on_message()


def _check_write(conditions: Conditions, old: Object | None) -> None:
    if conditions is not NONE:
        conditions.check_write(old.generation if old else 0, old.metageneration if old else 0)


def _object(row: Any) -> Object:
    *columns, settings = row
    make: Callable[..., Object] = Object
    return make(*columns, json.loads(settings))


def _bucket(row: Any) -> Bucket:
    *columns, settings, policy, notifications = row
    make: Callable[..., Bucket] = Bucket
    return make(*columns, json.loads(settings), json.loads(policy), tuple(json.loads(notifications)))
