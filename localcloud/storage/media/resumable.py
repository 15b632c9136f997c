"""Resumable uploads: sessions that outlive connections and restarts (https://cloud.google.com/storage/docs/resumable-uploads).

Every request loads its session once. Concurrent requests to one session share it, so each sees when another one ended it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from localcloud.disk import DiskFull
from localcloud.http import Answer, Request, empty_answer
from localcloud.storage.data.contents import Sink
from localcloud.storage.data.store import Store
from localcloud.storage.data.uploads import Session
from localcloud.storage.errors import StorageError, invalid, no_session, too_short
from localcloud.storage.media.uploads import check_received, draft
from localcloud.storage.model import Intent, Object
from localcloud.storage.rules.checksums import Checksums, agreed, claims
from localcloud.storage.rules.ranges import Span, check_length, parse_content_range

LIFETIME_SECONDS = 7 * 24 * 3600
_READ_BYTES = 1 << 20


def start(store: Store, intent: Intent, declared: int | None) -> str:
    """Begin an upload with its announced size. Returns its id, which authorizes all later requests."""
    store.bucket(intent.bucket)
    if declared is not None:
        check_length(declared, intent.lengths)
    content = store.contents.new_file()
    try:
        return store.uploads.start_session(intent, declared, content, store.clock.time())
    except DiskFull:
        store.contents.remove([content])
        raise


def cancel(store: Store, session: Session) -> None:
    """Delete an upload; the bytes of a finished one belong to its object."""
    store.uploads.cancel(session)
    if not session.finished:
        store.contents.remove([session.content])


def expire(store: Store) -> None:
    """Delete the sessions that are older than a week."""
    store.contents.remove(store.uploads.expire(store.clock.time() - LIFETIME_SECONDS))


async def accept(store: Store, session: Session, request: Request, body: AsyncIterator[bytes]) -> Object | int:
    """Store the bytes of a PUT. Returns the object of a complete upload, else the number of bytes stored."""
    if session.finished:
        return session.finished
    span = _span(request, session)
    if span.total is not None:
        check_length(span.total, session.intent.lengths)
    if span.first is not None:
        size = await _receive(store, session, span, body)
        if span.is_last and span.total is None:
            span = replace(span, total=span.first + size)
        _check_block(store, session, span, size)
    return await _outcome(store, session, span, request)


def incomplete(request: Request, received: int) -> Answer:
    """308 with the range of the stored bytes; without any, the answer has no `Range`.

    Go's HTTP library takes 308 for a redirect. Its storage client asks for 200 and the status in a header instead.
    """
    headers = [(b"range", f"bytes=0-{received - 1}".encode())] if received else []
    if request.headers.get("x-guploader-no-308", "").lower() == "yes":
        return empty_answer(200, (b"x-http-status-code-override", b"308"), *headers)
    return empty_answer(308, *headers)


async def _receive(store: Store, session: Session, span: Span, body: AsyncIterator[bytes]) -> int:
    """Append the new bytes of a body, in whole blocks up to the end of the upload. Returns the size of the body."""
    session.writer = me = object()
    checksums = await _checksums(store, session)
    if _finished(session):
        return 0
    skip = _overlap(span, checksums.size)
    size = 0
    held = bytearray()
    acknowledged = checksums.size
    sink = store.contents.reopen(session.content, checksums)
    try:
        async for chunk in body:
            # A client that lost its connection sends again before the loss is noticed; the newest request writes.
            if session.writer is not me:
                raise StorageError(409, "conflict", "Another request continues this upload.", "OperationAborted")
            size += len(chunk)
            held += chunk[skip:]
            skip = max(0, skip - len(chunk))
            _check_room(checksums.size + len(held), span, session)
            _write_blocks(sink, held, store.uploads.block_bytes)
        if session.writer is me and _is_end(span, checksums.size + len(held)):
            sink.write(bytes(held))
    except DiskFull:
        store.contents.cut(session.content, acknowledged)
        raise
    finally:
        sink.close()
    return size


def _write_blocks(sink: Sink, held: bytearray, block_bytes: int) -> None:
    """Write what fills blocks of the upload; the rest stays in memory, and is lost with the connection."""
    count = len(held) - (sink.checksums.size + len(held)) % block_bytes
    if count > 0:
        sink.write(bytes(held[:count]))
        del held[:count]


def _is_end(span: Span, reached: int) -> bool:
    """Whether a body that reached this far ended the upload."""
    return span.is_last if span.total is None else reached >= span.total


def _check_block(store: Store, session: Session, span: Span, size: int) -> None:
    """400 for a body that is smaller than a block and does not end the upload, which it makes unusable."""
    if not 0 < size < store.uploads.block_bytes or _is_end(span, (span.first or 0) + size) or _finished(session):
        return
    cancel(store, session)
    raise too_short(size, store.uploads.block_bytes)


async def _outcome(store: Store, session: Session, span: Span, request: Request) -> Object | int:
    received = store.contents.size(session.content)
    is_whole = span.total is not None and received >= span.total
    checksums = await _checksums(store, session) if is_whole else None
    if finished := _finished(session):
        return finished
    if checksums is None:
        return received
    try:
        intent = replace(session.intent, claims=agreed(session.intent.claims, claims(request.headers)))
        _check_room(received, span, session)
        check_received(intent, checksums)
        made = store.put(draft(intent, session.content, checksums), intent.conditions, request.base, session.id)
    except StorageError:
        cancel(store, session)
        raise
    finally:
        store.uploads.forget(session)
    session.finished = made
    return made


async def _checksums(store: Store, session: Session) -> Checksums:
    """The checksums of the stored bytes; after a restart, they are read again."""
    known = session.checksums
    if known is None or known.size != store.contents.size(session.content):
        known = Checksums()
        with store.contents.open(session.content) as file:
            while chunk := file.read(_READ_BYTES):
                known.update(chunk)
                await asyncio.sleep(0)
        session.checksums = known
    return known


def _finished(session: Session) -> Object | None:
    """The object that another request made meanwhile; 410 when another request cancelled the upload."""
    if session.is_gone:
        raise no_session()
    return session.finished


def _span(request: Request, session: Session) -> Span:
    length = request.headers.get("content-length", "")
    # Content-Range counts the object's bytes; the length of a compressed body says nothing about them.
    is_plain = "content-encoding" not in request.headers and length.isdecimal()
    span = parse_content_range(request.headers.get("content-range"), int(length) if is_plain else None)
    if session.declared is None:
        return span
    if span.total not in {None, session.declared}:
        raise invalid(f"The upload was announced with {session.declared} bytes, not {span.total}.")
    return replace(span, total=session.declared)


def _overlap(span: Span, stored: int) -> int:
    """The number of bytes that the client sends again; 400 for a gap after the stored bytes."""
    first = span.first or 0
    if first > stored:
        message = f"the upload offset is {first} byte(s), which exceeds already uploaded size of {stored}"
        raise invalid(f"Invalid request. According to the Content-Range header, {message} byte(s).")
    return stored - first


def _check_room(size: int, span: Span, session: Session) -> None:
    check_length(size, session.intent.lengths, complete=False)
    if span.total is not None and size > span.total:
        raise invalid(f"The upload has more than the announced {span.total} bytes.")
