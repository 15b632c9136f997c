"""Resumable uploads: sessions that outlive connections and restarts (https://cloud.google.com/storage/docs/resumable-uploads).

The session's row says what is intended; how many bytes have arrived is the length of its content file.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from localcloud.database import transaction
from localcloud.storage.data.contents import Sink
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.http import Request
from localcloud.storage.media import checksums
from localcloud.storage.media.checksums import Checksums
from localcloud.storage.media.ranges import Span, check_length, parse_content_range
from localcloud.storage.media.uploads import Intent, check_received, draft
from localcloud.storage.model import Object

LIFETIME_SECONDS = 7 * 24 * 3600
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Session:
    """One upload: `declared` is the size announced at its start, `finished` the object it became."""

    id: str
    content: str
    intent: Intent
    declared: int | None
    finished: Object | None


class Sessions:
    """All resumable uploads under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[str, Checksums] = {}
        self._writer: dict[str, object] = {}

    def start(self, intent: Intent, declared: int | None) -> str:
        """Begin an upload; the id is all that a client needs from here on."""
        self._store.bucket(intent.bucket)
        if declared is not None:
            check_length(declared, intent.lengths)
        content = self._store.contents.new_file()
        identity = secrets.token_urlsafe(32)
        request = json.dumps({"intent": intent.to_json(), "declared": declared})
        values = (identity, content, self._store.clock.time(), request)
        self._store.database.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, NULL)", values)
        return identity

    def cancel(self, identity: str) -> None:
        """Forget an upload and its bytes; 410 when there is none."""
        session = self._find(identity)
        self._store.database.execute("DELETE FROM uploads WHERE id = ?", (identity,))
        self._running.pop(identity, None)
        self._writer.pop(identity, None)
        if not session.finished:
            self._store.contents.remove([session.content])

    def expire(self) -> None:
        """Drop what is older than a week. Multipart uploads, which have no content of their own, are kept for ever."""
        oldest = self._store.clock.time() - LIFETIME_SECONDS
        with transaction(self._store.database) as database:
            old = "DELETE FROM uploads WHERE created < ? AND (content != '' OR finished IS NOT NULL)"
            gone = database.execute(f"{old} RETURNING id, content, finished", (oldest,)).fetchall()
        for row in gone:
            self._running.pop(row["id"], None)
            self._writer.pop(row["id"], None)
        self._store.contents.remove(row["content"] for row in gone if row["finished"] is None)

    async def accept(self, identity: str, request: Request, body: AsyncIterator[bytes]) -> Object | int:
        """Take in what a PUT brings: the object when that was the last byte, else how many bytes there are."""
        session = self._find(identity)
        if session.finished:
            return session.finished
        span = _span(request, session)
        if span.total is not None:
            check_length(span.total, session.intent.lengths)
        if span.first is not None:
            received = await self._receive(session, span, body)
            if span.total is None and "content-range" not in request.headers:
                span = replace(span, total=received)
        return await self._outcome(session, span, checksums.claims(request.headers), request.base)

    async def _receive(self, session: Session, span: Span, body: AsyncIterator[bytes]) -> int:
        self._writer[session.id] = me = object()
        running = await self._checksums(session)
        if self._find(session.id).finished:  # by another request, meanwhile
            return running.size
        skip = running.size - (span.first or 0)
        if skip < 0:
            message = f"the upload offset is {span.first} byte(s), which exceeds already uploaded size of {running.size}"
            raise invalid(f"Invalid request. According to the Content-Range header, {message} byte(s).")
        sink = Sink(session.content, self._store.contents.path(session.content), checksums=running)
        try:
            async for chunk in body:
                # A client that lost its connection resends before we notice; the newest request writes.
                if self._writer.get(session.id) is not me:
                    raise StorageError(409, "conflict", "Another request continues this upload.", "OperationAborted")
                fresh = chunk[skip:]
                skip = max(0, skip - len(chunk))
                _check_room(running.size + len(fresh), span, session)
                sink.write(fresh)
        finally:
            sink.close()
        return running.size

    async def _outcome(self, session: Session, span: Span, claimed: dict[str, str], base: str) -> Object | int:
        received = self._store.contents.size(session.content)
        is_whole = span.total is not None and received >= span.total
        running = await self._checksums(session) if is_whole else None
        if finished := self._find(session.id).finished:  # by another request, meanwhile
            return finished
        if running is None:
            return received
        intent = replace(session.intent, claims=session.intent.claims | claimed)
        try:
            _check_room(received, span, session)
            check_received(intent, running)
            return self._store.put(draft(intent, session.content, running), intent.conditions, base, session.id)
        except StorageError:
            self.cancel(session.id)
            raise
        finally:
            self._running.pop(session.id, None)
            self._writer.pop(session.id, None)

    async def _checksums(self, session: Session) -> Checksums:
        running = self._running.get(session.id)
        if running is None or running.size != self._store.contents.size(session.content):
            running = Checksums()
            with self._store.contents.open(session.content) as file:
                while chunk := file.read(_READ_BYTES):
                    running.update(chunk)
                    await asyncio.sleep(0)
            self._running[session.id] = running
        return running

    def _find(self, identity: str) -> Session:
        row = self._store.database.execute("SELECT * FROM uploads WHERE id = ? AND content != ''", (identity,)).fetchone()
        if row is None:
            # 410 and not 404: of both, which mean "start over", gcloud forgets its own record of the upload only then.
            raise StorageError(410, "gone", "No such resumable upload: it ended, or never began.", "NoSuchUpload")
        request = json.loads(row["request"])
        finished = json.loads(row["finished"]) if row["finished"] else None
        return Session(
            row["id"],
            row["content"],
            Intent.from_json(request["intent"]),
            request["declared"],
            Object(**finished) if finished else None,
        )


def _span(request: Request, session: Session) -> Span:
    length = request.headers.get("content-length", "")
    # Compressed on the way, the body's length says nothing; Content-Range always counts the object's own bytes.
    is_plain = "content-encoding" not in request.headers and length.isdecimal()
    span = parse_content_range(request.headers.get("content-range"), int(length) if is_plain else None)
    if session.declared is None:
        return span
    if span.total not in {None, session.declared}:
        raise invalid(f"The upload was announced with {session.declared} bytes, not {span.total}.")
    return replace(span, total=session.declared)


def _check_room(size: int, span: Span, session: Session) -> None:
    check_length(size, session.intent.lengths, complete=False)
    if span.total is not None and size > span.total:
        raise invalid(f"The upload has more than the announced {span.total} bytes.")
