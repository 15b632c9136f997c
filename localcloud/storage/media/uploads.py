"""Uploads: bytes stream to disk, checksums are compared, and only a complete body becomes an object."""

from collections.abc import AsyncIterator, Callable

from localcloud.storage.data.contents import Sink
from localcloud.storage.data.store import Store
from localcloud.storage.model import Content, Draft, Intent, LengthRange, Object
from localcloud.storage.rules import checksums
from localcloud.storage.rules.checksums import Checksums
from localcloud.storage.rules.ranges import check_length


async def store_upload(store: Store, intent: Intent, media: AsyncIterator[bytes], base: str) -> Object:
    """Receive the bytes and make the object. A broken or refused upload leaves nothing behind."""
    sink = await receive(store, media, lambda received: check_received(intent, received), intent.lengths)
    return await store.put_soon(draft(intent, sink.content, sink.checksums), intent.conditions, base)


async def receive(
    store: Store, media: AsyncIterator[bytes], check: Callable[[Checksums], None], lengths: LengthRange | None = None
) -> Sink:
    """Write a body to a new content; a body that breaks off, or that `check` refuses, leaves nothing behind."""
    sink = store.contents.new()
    try:
        async for chunk in media:
            sink.write(chunk)
            if lengths:
                check_length(sink.checksums.size, lengths, complete=False)
        check(sink.checksums)
    except BaseException:
        sink.close()
        store.contents.remove([sink.content])
        raise
    sink.close()
    return sink


def check_received(intent: Intent, received: Checksums) -> None:
    """400 for a complete body with a wrong length or checksum."""
    check_length(received.size, intent.lengths)
    checksums.check(intent.claims, received)


def draft(intent: Intent, content: Content, received: Checksums) -> Draft:
    """The draft of a received body."""
    return Draft(intent.bucket, intent.name, content, received.size, received.crc32c, received.md5, intent.settings)
