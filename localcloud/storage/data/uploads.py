"""Uploads under way: rows of resumable sessions, of multipart uploads and of their parts.

A session's row has its intent; the number of bytes that arrived is the length of its content file. A finished upload keeps
its object, so that a repeated last request gets the same answer.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from sqlite3 import Row

from localcloud.database import Database, transaction
from localcloud.storage.errors import no_session, no_upload
from localcloud.storage.model import Intent, MultipartUpload, Object, Part
from localcloud.storage.rules.checksums import Checksums

#: A request stores a multiple of this, except for the last one of an upload.
BLOCK_BYTES = 1 << 18


@dataclass(slots=True)
class Session:
    """A resumable upload. Concurrent requests to one unfinished upload share this object.

    `declared` is the size announced at its start, `finished` the object that it became, `checksums` those of the bytes
    stored so far, and `writer` the request that writes.
    """

    id: str
    content: str
    intent: Intent
    declared: int | None
    finished: Object | None
    is_gone: bool = False
    checksums: Checksums | None = None
    writer: object | None = None


class Uploads:
    """All uploads that need more than one request."""

    def __init__(self, database: Database) -> None:
        self.block_bytes = BLOCK_BYTES
        self._database = database
        self._live: dict[str, Session] = {}

    def start_session(self, intent: Intent, declared: int | None, content: str, now: float) -> str:
        """Begin a resumable upload into a content file. Returns its id."""
        return self._insert(content, now, {"intent": intent.to_json(), "declared": declared})

    def session(self, identity: str) -> Session:
        """The resumable upload; 410 for an unknown, expired or cancelled one."""
        if live := self._live.get(identity):
            return live
        row = self._database.execute("SELECT * FROM uploads WHERE id = ? AND content != ''", (identity,)).fetchone()
        if row is None:
            raise no_session()
        session = _session(row)
        if not session.finished:
            self._live[identity] = session
        return session

    def forget(self, session: Session) -> None:
        """Drop the memory of a session that ended: its requests under way may not write any more."""
        session.writer = None
        self._live.pop(session.id, None)

    def cancel(self, session: Session) -> None:
        """Delete a resumable upload; its content file is the caller's to remove."""
        self._database.execute("DELETE FROM uploads WHERE id = ?", (session.id,))
        session.is_gone = True
        self.forget(session)

    def expire(self, before: float) -> list[str]:
        """Delete old sessions and finished multipart uploads. Returns the content files to remove.

        Unfinished multipart uploads never expire; lifecycle rules abort them.
        """
        with transaction(self._database):
            old = "DELETE FROM uploads WHERE created < ? AND (content != '' OR finished IS NOT NULL)"
            rows = self._database.execute(f"{old} RETURNING id, content, finished", (before,)).fetchall()
        self._end(row["id"] for row in rows)
        return [row["content"] for row in rows if row["finished"] is None]

    def drop_of(self, bucket: str) -> list[str]:
        """Delete the unfinished uploads to a bucket, within a transaction. Returns the content files to remove."""
        mine = "finished IS NULL AND json_extract(request, '$.intent.bucket') = ?"
        parts = f"DELETE FROM parts WHERE upload IN (SELECT id FROM uploads WHERE {mine}) RETURNING content"  # noqa: S608
        found = [row["content"] for row in self._database.execute(parts, (bucket,)).fetchall()]
        rows = self._database.execute(f"DELETE FROM uploads WHERE {mine} RETURNING id, content", (bucket,)).fetchall()  # noqa: S608
        self._end(row["id"] for row in rows)
        return [content for content in (*found, *(row["content"] for row in rows)) if content]

    def finish(self, identity: str, made: Object) -> None:
        """Mark an upload as finished, within the transaction that makes its object."""
        self._database.execute("UPDATE uploads SET finished = ? WHERE id = ?", (json.dumps(asdict(made)), identity))

    def start_multipart(self, intent: Intent, now: float) -> str:
        """Begin a multipart upload. Returns its id."""
        return self._insert("", now, {"intent": intent.to_json()})

    def multipart(self, identity: str) -> MultipartUpload:
        """The multipart upload; 404 for an unknown one."""
        row = self._database.execute("SELECT * FROM uploads WHERE id = ? AND content = ''", (identity,)).fetchone()
        if row is None:
            raise no_upload()
        return _multipart(row)

    def multiparts(self, bucket: str) -> list[MultipartUpload]:
        """The unfinished multipart uploads to a bucket, the oldest first."""
        rows = self._database.execute("SELECT * FROM uploads WHERE content = '' AND finished IS NULL ORDER BY created")
        return [upload for upload in map(_multipart, rows) if upload.intent.bucket == bucket]

    def put_part(self, identity: str, part: Part) -> None:
        """Add a part, or replace the one with its number."""
        values = (identity, *asdict(part).values())
        self._database.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def parts(self, identity: str) -> list[Part]:
        """The parts of a multipart upload in the order of their numbers."""
        query = "SELECT number, content, size, crc32c, md5, created FROM parts WHERE upload = ? ORDER BY number"
        return [Part(*row) for row in self._database.execute(query, (identity,))]

    def drop_parts(self, identity: str) -> Iterable[str]:
        """Delete all parts of a multipart upload. Returns the content files to remove."""
        with transaction(self._database) as database:
            rows = database.execute("DELETE FROM parts WHERE upload = ? RETURNING content", (identity,)).fetchall()
        return [row[0] for row in rows]

    def drop_multipart(self, identity: str) -> None:
        """Delete a multipart upload without parts."""
        self._database.execute("DELETE FROM uploads WHERE id = ?", (identity,))

    def _end(self, identities: Iterable[str]) -> None:
        """Have the requests under way to these deleted uploads refused."""
        for identity in identities:
            if live := self._live.get(identity):
                live.is_gone = True
                self.forget(live)

    def _insert(self, content: str, now: float, request: dict[str, object]) -> str:
        identity = secrets.token_urlsafe(32)
        self._database.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, NULL)", (identity, content, now, json.dumps(request)))
        return identity


def _session(row: Row) -> Session:
    request = json.loads(row["request"])
    return Session(row["id"], row["content"], Intent.from_json(request["intent"]), request["declared"], _finished(row))


def _multipart(row: Row) -> MultipartUpload:
    intent = Intent.from_json(json.loads(row["request"])["intent"])
    return MultipartUpload(row["id"], row["created"], intent, _finished(row))


def _finished(row: Row) -> Object | None:
    return Object(**json.loads(row["finished"])) if row["finished"] else None
