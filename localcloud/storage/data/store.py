"""The store: buckets and objects in SQLite, their bytes in files, uploads under way, and waiting notifications.

A change, its preconditions and its notifications are one transaction.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from localcloud.accounts import Accounts
from localcloud.clock import Clock
from localcloud.database import open_database, transaction
from localcloud.storage.data.contents import Contents
from localcloud.storage.data.group_commit import GroupCommit
from localcloud.storage.data.hmac_keys import HmacKeys
from localcloud.storage.data.messages import Messages
from localcloud.storage.data.objects import Objects
from localcloud.storage.data.schema import SCHEMA
from localcloud.storage.data.uploads import Uploads
from localcloud.storage.errors import StorageError, no_bucket, no_object
from localcloud.storage.model import NO_CONDITIONS, NO_PROJECT, Bucket, Conditions, Draft, Object, Settings
from localcloud.storage.rules.conditions import check_write
from localcloud.storage.rules.notifications import ARCHIVE, DELETE, FINALIZE, METADATA_UPDATE, Event, messages


class Store:
    """Everything that handlers act on. Single process, single thread: buckets are also kept in memory."""

    def __init__(self, folder: Path, clock: Clock, accounts: Accounts) -> None:
        self.clock = clock
        self.project = accounts.project
        self._accounts = accounts
        self._keys: dict[str, RSAPublicKey] = {}
        self._database = open_database(folder / "storage.sqlite", SCHEMA)
        self.contents = Contents(folder / "contents", self._database)
        self.objects = Objects(self._database)
        self.uploads = Uploads(self._database)
        self.messages = Messages(self._database)
        self.hmac_keys = HmacKeys(self._database)
        self.on_message: Callable[[], None] = lambda: None
        self._has_messages = False
        self._group = GroupCommit(self._change)
        #: Progress of rewrites in several calls, in bytes; kept in memory only.
        self.rewrites: dict[str, int] = {}
        self.buckets = {bucket.name: bucket for bucket in map(_bucket, self._database.execute("SELECT * FROM buckets"))}
        self._last_generation = self.objects.last_generation()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def sweep(self) -> None:
        """Remove the bytes of uploads that were never acknowledged. Unfinished sessions and parts keep theirs."""
        known = self._database.execute(
            "SELECT content FROM objects UNION ALL SELECT content FROM uploads WHERE finished IS NULL "
            "UNION ALL SELECT parts.content FROM parts JOIN uploads ON id = upload WHERE finished IS NULL"
        )
        self.contents.sweep({row[0] for row in known})

    def public_key(self, email: str) -> RSAPublicKey | None:
        """The key that verifies an account's signatures; None for an account without one."""
        key = self._keys.get(email) or self._accounts.public_key(email)
        if key:
            self._keys[email] = key
        return key

    def bucket(self, name: str) -> Bucket:
        """The bucket; 404 for a missing one."""
        try:
            return self.buckets[name]
        except KeyError:
            raise no_bucket(name) from None

    def make_bucket(self, name: str, project: str, settings: Settings) -> Bucket:
        """A new bucket; 409 for a name that is taken. Without a project, it belongs to the local cloud's."""
        if name in self.buckets:
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise StorageError(409, "conflict", message, "BucketAlreadyOwnedByYou")
        now = self.clock.time()
        return self.save_bucket(Bucket(name, self.project if project in NO_PROJECT else project, now, now, 1, settings))

    def save_bucket(self, bucket: Bucket) -> Bucket:
        """Create or replace a bucket."""
        values = (bucket.name, bucket.project, bucket.created, bucket.updated, bucket.metageneration)
        texts = (json.dumps(value) for value in (bucket.settings, bucket.policy, bucket.notifications))
        update = "project=?2, created=?3, updated=?4, metageneration=?5, settings=?6, policy=?7, notifications=?8"
        self._database.execute(
            f"INSERT INTO buckets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET {update}",  # noqa: S608
            (*values, *texts),
        )
        self.buckets[bucket.name] = bucket
        return bucket

    def delete_bucket(self, name: str) -> None:
        """Delete an empty bucket with its unfinished uploads; 409 while it has any generation of any object."""
        if not self.objects.is_empty(name):
            raise StorageError(409, "conflict", "The bucket you tried to delete is not empty.", "BucketNotEmpty")
        with self._change() as garbage:
            garbage += self.uploads.drop_of(name)
            self._database.execute("DELETE FROM buckets WHERE name = ?", (name,))
        del self.buckets[name]

    def find(self, bucket: str, name: str, generation: int | None = None) -> Object:
        """The live object or one generation; 404 for a missing one."""
        self.bucket(bucket)
        objects = self.objects
        found = objects.live(bucket, name) if generation is None else objects.one(bucket, name, generation)
        if found is None:
            raise no_object(bucket, name)
        return found

    def put(self, draft: Draft, conditions: Conditions, base: str, upload: str = "", moved: Object | None = None) -> Object:
        """Make the draft the live generation; a refusal removes its bytes, unless they belong to an upload.

        `upload` is the id of a resumable or multipart upload, which the same transaction marks as finished. `moved` is the
        object in the same bucket that gets a new name by the draft: it is deleted in the same transaction.
        """
        try:
            with self._change() as garbage:
                new = self._make(draft, conditions, base, garbage)
                if upload:
                    self.uploads.finish(upload, new)
                if moved:
                    garbage += self._retire(moved, self.bucket(moved.bucket), new.created, base)
            return new
        except BaseException:
            if not upload:
                self.contents.remove([draft.content])
            raise

    async def put_soon(self, draft: Draft, conditions: Conditions, base: str) -> Object:
        """`put`, with one commit for all drafts that come at nearly the same time."""
        try:
            return await self._group.commit(lambda garbage: self._make(draft, conditions, base, garbage))
        except Exception:
            self.contents.remove([draft.content])
            raise

    def update(self, found: Object, conditions: Conditions, settings: Settings, base: str, time: float | None = None) -> Object:
        """Replace the settings and increment the metageneration."""
        now = time or self.clock.time()
        with self._change():
            old = self.find(found.bucket, found.name, found.generation)
            _check(conditions, old)
            new = replace(old, metageneration=old.metageneration + 1, updated=now, settings=settings)
            self.objects.update(new)
            self._announce(self.bucket(new.bucket), Event(METADATA_UPDATE, new, now), base)
        return new

    def delete(self, bucket_name: str, name: str, generation: int | None, conditions: Conditions, base: str) -> None:
        """Delete a generation for good; without one, the live object, which a versioned bucket keeps as noncurrent."""
        now = self.clock.time()
        bucket = self.bucket(bucket_name)
        with self._change() as garbage:
            old = self.find(bucket_name, name, generation)
            _check(conditions, old)
            if generation is None:
                garbage += self._retire(old, bucket, now, base)
            else:
                garbage += self._erase(old)
                self._announce(bucket, Event(DELETE, replace(old, deleted=old.deleted or now), now), base)

    def _make(self, draft: Draft, conditions: Conditions, base: str, garbage: list[str]) -> Object:
        bucket = self.bucket(draft.bucket)
        now = self.clock.time()
        old = self.objects.live(draft.bucket, draft.name)
        _check(conditions, old)
        new = self._new(draft, bucket, now)
        if old:
            garbage += self._retire(old, bucket, now, base, new.generation)
        self.objects.insert(new)
        self._announce(bucket, Event(FINALIZE, new, now, old.generation if old else None), base)
        return new

    def _retire(self, old: Object, bucket: Bucket, now: float, base: str, overwritten_by: int | None = None) -> list[str]:
        kept = replace(old, deleted=now)
        self._announce(bucket, Event(ARCHIVE if bucket.is_versioned else DELETE, kept, now, overwritten_by), base)
        if not bucket.is_versioned:
            return self._erase(old)
        self.objects.update(kept)
        return []

    def _erase(self, old: Object) -> list[str]:
        self.objects.delete(old)
        return self.contents.drop(old)

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

    def _announce(self, bucket: Bucket, event: Event, base: str) -> None:
        if bucket.notifications:
            self._has_messages = True
            self.messages.add(messages(event, bucket.notifications, base))

    @contextmanager
    def _change(self) -> Iterator[list[str]]:
        """One transaction. The block adds files to remove after its commit to the list."""
        garbage: list[str] = []
        with transaction(self._database):
            yield garbage
        self.contents.remove(garbage)
        if self._has_messages:
            self._has_messages = False
            self.on_message()


def _check(conditions: Conditions, old: Object | None) -> None:
    if conditions is not NO_CONDITIONS:
        check_write(conditions, old.generation if old else 0, old.metageneration if old else 0)


def _bucket(row: Any) -> Bucket:
    *columns, settings, policy, notifications = row
    make: Callable[..., Bucket] = Bucket
    return make(*columns, json.loads(settings), json.loads(policy), tuple(json.loads(notifications)))
