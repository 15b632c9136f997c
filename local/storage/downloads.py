"""Downloads: an object's bytes, whole or in part, streamed from its file; and the headers that describe them."""

from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import BinaryIO

from local.storage.encoding import gunzip
from local.storage.model import Object
from local.storage.ranges import parse_range
from local.storage.store import Store
from local.storage.web import Answer, Header, Request

CHUNK_BYTES = 1 << 18
_SETTINGS = {
    "contentEncoding": b"content-encoding",
    "contentDisposition": b"content-disposition",
    "contentLanguage": b"content-language",
}


def media_answer(store: Store, stored: Object, request: Request, headers: list[Header]) -> Answer:
    """The bytes that a request asks for; gzip content is served plain to a client that does not accept gzip."""
    path = store.contents.path(stored.content)
    if _is_transcoded(stored, request) and _is_gzip(path):
        plain = [header for header in headers if header[0] not in {b"content-encoding", b"accept-ranges"}]
        plain.append((b"warning", b"214 UploadServer gunzipped"))
        return Answer(200, plain, gunzip(_read(_open(path), stored.size)))
    span = parse_range(request.headers.get("range", ""), stored.size)
    file = _open(path)
    first, last = span or (0, stored.size - 1)
    length = last - first + 1
    headers.append((b"content-length", str(length).encode()))
    if span:
        headers.append((b"content-range", f"bytes {first}-{last}/{stored.size}".encode()))
        file.seek(first)
    status = 206 if span else 200
    if length <= CHUNK_BYTES:
        with file:
            return Answer(status, headers, file.read(length))
    return Answer(status, headers, _read(file, length))


def object_headers(stored: Object) -> list[Header]:
    """What both APIs say about an object in headers."""
    hashes = f"crc32c={stored.crc32c}" + (f",md5={stored.md5}" if stored.md5 else "")
    encoding = stored.settings.get("contentEncoding", "identity")
    headers = [
        (b"content-type", clean(stored.settings.get("contentType", "application/octet-stream"))),
        (b"accept-ranges", b"bytes"),
        (b"last-modified", http_date(stored.updated)),
        (b"x-goog-generation", str(stored.generation).encode()),
        (b"x-goog-metageneration", str(stored.metageneration).encode()),
        (b"x-goog-hash", hashes.encode()),
        (b"x-goog-stored-content-length", str(stored.size).encode()),
        (b"x-goog-stored-content-encoding", clean(encoding)),
        (b"x-goog-storage-class", clean(stored.settings.get("storageClass", "STANDARD"))),
    ]
    return headers + [(name, clean(stored.settings[key])) for key, name in _SETTINGS.items() if key in stored.settings]


def clean(text: str) -> bytes:
    """A header's value: nothing in it can end the header."""
    return "".join(c if c >= " " and c != "\x7f" else " " for c in text).strip().encode("utf-8", "replace")


def http_date(seconds: float) -> bytes:
    """RFC 9110 §5.6.7."""
    return formatdate(seconds, usegmt=True).encode()


def _is_transcoded(stored: Object, request: Request) -> bool:
    if stored.settings.get("contentEncoding") != "gzip" or "gzip" in request.headers.get("accept-encoding", ""):
        return False
    return "no-transform" not in stored.settings.get("cacheControl", "")


def _is_gzip(path: str) -> bool:
    with _open(path) as file:
        return file.read(2) == b"\x1f\x8b"


def _open(path: str) -> BinaryIO:
    # Opened before the first await: a file that is removed meanwhile can still be read to its end.
    return open(path, "rb")  # noqa: PTH123  (half the cost of pathlib)


async def _read(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    with file:
        while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk
