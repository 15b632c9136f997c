"""Multipart uploads of the XML API: parts that arrive in any order and become one object.

An upload is a row of `uploads` without a content of its own; a finished one remembers its object, so that completing it
twice answers the same.
"""

import json
import secrets
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from sqlite3 import Row
from typing import Any

from localcloud.database import transaction
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.media.checksums import check
from localcloud.storage.media.uploads import Intent, receive
from localcloud.storage.model import Content, Draft, Object
from localcloud.storage.rules.lifecycle import DAY_SECONDS

MAX_PART_NUMBER = 10_000
MIN_PART_BYTES = 5 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One part that has arrived."""

    number: int
    content: Content
    size: int
    crc32c: str
    md5: str
    created: float


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload under way, or done when `finished`."""

    id: str
    created: float
    intent: Intent
    finished: Object | None


class Parts:
    """All multipart uploads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(self, intent: Intent) -> str:
        """Begin an upload; gives its id."""
        self._store.bucket(intent.bucket)
        identity = secrets.token_urlsafe(32)
        values = (identity, "", self._store.clock.time(), json.dumps({"intent": intent.to_json()}))
        self._store.database.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, NULL)", values)
        return identity

    async def put(self, identity: str, number: int, body: AsyncIterator[bytes], claims: Mapping[str, str]) -> Part:
        """Take in a part; one that was there under the same number is replaced."""
        self._unfinished(identity)
        if not 1 <= number <= MAX_PART_NUMBER:
            raise invalid(f"partNumber must be 1 to {MAX_PART_NUMBER}.")
        sink = await receive(self._store, body, lambda received: check(claims, received))
        sums = sink.checksums
        part = Part(number, sink.content, sums.size, sums.crc32c, sums.md5, self._store.clock.time())
        try:
            self._unfinished(identity)
            old = [known.content for known in self.parts(identity) if known.number == number]
            values = (identity, *asdict(part).values())
            self._store.database.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        except BaseException:
            self._store.contents.remove([sink.content])
            raise
        self._store.contents.remove(old)
        return part

    def parts(self, identity: str) -> list[Part]:
        """What has arrived, in the order of numbers; 404 when there is no such upload."""
        self.find(identity)
        rows = self._store.database.execute(
            "SELECT number, content, size, crc32c, md5, created FROM parts WHERE upload = ? ORDER BY number", (identity,)
        )
        return [Part(*row) for row in rows]

    async def complete(self, identity: str, wanted: list[tuple[int, str]], base: str) -> Object:
        """Join the named parts (number and hex MD5 each) to the object."""
        upload = self.find(identity)
        if upload.finished:
            return upload.finished
        chosen = _choose({part.number: part for part in self.parts(identity)}, wanted)
        sink = await self._store.contents.concatenate([part.content for part in chosen])
        sums, intent = sink.checksums, upload.intent
        draft = Draft(intent.bucket, intent.name, sink.content, sums.size, sums.crc32c, None, intent.settings)
        try:
            self._unfinished(identity)
        except StorageError:
            self._store.contents.remove([sink.content])
            raise
        made = self._store.put(draft, intent.conditions, base, identity)
        self._forget(identity)
        return made

    def abort(self, identity: str) -> None:
        """Drop an upload with all its parts."""
        self.find(identity)
        self._forget(identity)
        self._store.database.execute("DELETE FROM uploads WHERE id = ?", (identity,))

    def abort_old(self, bucket: str, condition: Mapping[str, Any]) -> None:
        """What the lifecycle action AbortIncompleteMultipartUpload does."""
        newest = self._store.clock.time() - condition.get("age", 0) * DAY_SECONDS
        prefixes, suffixes = tuple(condition.get("matchesPrefix", [""])), tuple(condition.get("matchesSuffix", [""]))
        for upload in self.uploads(bucket):
            name = upload.intent.name
            if upload.created <= newest and name.startswith(prefixes) and name.endswith(suffixes):
                self.abort(upload.id)

    def uploads(self, bucket: str) -> list[Upload]:
        """The uploads to a bucket that are under way."""
        rows = self._store.database.execute("SELECT * FROM uploads WHERE content = '' AND finished IS NULL ORDER BY created")
        return [upload for upload in map(_upload, rows.fetchall()) if upload.intent.bucket == bucket]

    def find(self, identity: str) -> Upload:
        """The upload; 404 when there is none."""
        row = self._store.database.execute("SELECT * FROM uploads WHERE id = ? AND content = ''", (identity,)).fetchone()
        if row is None:
            raise _unknown()
        return _upload(row)

    def _unfinished(self, identity: str) -> None:
        if self.find(identity).finished:
            raise _unknown()

    def _forget(self, identity: str) -> None:
        with transaction(self._store.database) as database:
            gone = database.execute("DELETE FROM parts WHERE upload = ? RETURNING content", (identity,)).fetchall()
        self._store.contents.remove(row[0] for row in gone)


def _choose(known: Mapping[int, Part], wanted: list[tuple[int, str]]) -> list[Part]:
    numbers = [number for number, _ in wanted]
    if not numbers or sorted(set(numbers)) != numbers:
        raise invalid("Parts must be listed once each, in ascending order.", "InvalidPartOrder")
    for number, etag in wanted:
        if number not in known or etag not in {"", hex_md5(known[number])}:
            raise invalid(f"Part {number} has not arrived, or its ETag is another.", "InvalidPart")
    chosen = [known[number] for number in numbers]
    if any(part.size < MIN_PART_BYTES for part in chosen[:-1]):
        raise invalid(f"Every part but the last must have {MIN_PART_BYTES} bytes.", "EntityTooSmall")
    return chosen


def hex_md5(part: Part) -> str:
    """A part's ETag."""
    return b64decode(part.md5).hex()


def _upload(row: Row) -> Upload:
    finished = json.loads(row["finished"]) if row["finished"] else None
    intent = Intent.from_json(json.loads(row["request"])["intent"])
    return Upload(row["id"], row["created"], intent, Object(**finished) if finished else None)


def _unknown() -> StorageError:
    return StorageError(404, "notFound", "The requested upload was not found.", "NoSuchUpload")
