"""The file of an uploaded object, with the content type to go by.

That is the stored type, or the one that the bytes show where a route asks for it. Whatever plans a file takes it from here. A
generation never changes, so that each of them, and each repeat, comes to the same type.
"""

import zlib
from dataclasses import replace

from shared import media, source
from shared.cloud.protocols import Cloud, NoSuchObject, Stored
from shared.errors import Vanished
from shared.model import File


def as_file(stored: Stored, cloud: Cloud) -> File:
    """The file of an object, with its stored content type."""
    bucket = cloud.settings.uploads_bucket
    return File(bucket, stored.name, stored.generation, stored.size, stored.content_type, stored.crc32c, stored.metadata)


def live(stored: Stored, cloud: Cloud) -> File:
    """The file of a live object, with the type to go by; the stored one if it is replaced or deleted at this moment.

    Raises `Unavailable`.
    """
    file = as_file(stored, cloud)
    try:
        return typed(file, cloud)
    except Vanished:
        return file


def typed(file: File, cloud: Cloud) -> File:
    """The file with the content type to go by. Its first bytes are read only where a route that asks could take it.

    Raises `Vanished` for a generation that no longer exists, and `Unavailable`.
    """
    if not file.size or not cloud.routes.go_by_bytes(file.name, file.metadata, file.size):
        return file
    try:
        head, encoding = cloud.uploads.head(file.name, file.generation, media.HEAD_BYTES)
    except NoSuchObject:
        raise source.vanished(file, cloud) from None
    plain = _unpacked(head) if encoding.lower() in source.GZIP else head
    decided = media.decide_type(file.content_type, plain, file.name)
    # Of an unreadable encoding the processor gives the verdict. The same type keeps its parameters, such as a charset.
    is_same = not plain or decided == media.essence(file.content_type)
    return file if is_same else replace(file, content_type=decided)


def _unpacked(head: bytes) -> bytes:
    """The first bytes of what is stored with `Content-Encoding: gzip`; none where they are not gzip."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head, media.HEAD_BYTES)
    except zlib.error:
        return b""
