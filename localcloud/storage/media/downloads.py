"""Downloads: an object's bytes or a range of them, streamed from its file, and the headers that describe them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import BinaryIO

from localcloud.compression import gunzip
from localcloud.errors import ApiError
from localcloud.http import Answer, Header, Request
from localcloud.storage.data.contents import Contents
from localcloud.storage.data.store import Store
from localcloud.storage.errors import condition_failed, not_modified
from localcloud.storage.model import Content, Object
from localcloud.storage.rules.objects import DEFAULT_TYPE
from localcloud.storage.rules.ranges import parse_range

CHUNK_BYTES = 1 << 18
#: Gives a stored page an opaque origin (https://www.w3.org/TR/CSP3/#directive-sandbox): with the origin of this port, its
#: scripts could drive the local cloud.
SANDBOX = (b"content-security-policy", b"sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts")
_SETTINGS = {
    "contentEncoding": b"content-encoding",
    "contentDisposition": b"content-disposition",
    "contentLanguage": b"content-language",
}


async def media_answer(store: Store, stored: Object, request: Request, headers: list[Header]) -> Answer:
    """The requested bytes. Gzip content is decompressed for a client that does not accept gzip."""
    if (b"content-type", b"application/pdf") not in headers:  # browsers show no PDF in a sandbox
        headers.append(SANDBOX)
    content = store.contents.of(stored)
    file = store.contents.open(content)  # now: another request may remove the content, but an open file stays readable
    try:
        if _is_transcoded(stored, request) and await _is_gzip(store.contents, content, stored.size):
            plain = [header for header in headers if header[0] not in {b"content-encoding", b"accept-ranges"}]
            plain.append((b"warning", b"214 UploadServer gunzipped"))
            plain.append((b"x-guploader-response-body-transformations", b"gunzipped"))
            return Answer(200, plain, gunzip(_read(file, stored.size)))
        return _span(file, stored, request, headers)
    except BaseException:
        file.close()
        raise


def _span(file: BinaryIO, stored: Object, request: Request, headers: list[Header]) -> Answer:
    span = parse_range(request.headers.get("range", ""), stored.size)
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


def check_http_conditions(stored: Object, etag: str, headers: Mapping[str, str]) -> None:
    """412 or 304 as RFC 9110 §13 has it: an entity tag takes precedence over a date."""
    if "if-match" in headers:
        if not _names(headers["if-match"], etag):
            raise condition_failed()
    elif "if-unmodified-since" in headers and _changed_after(stored, headers["if-unmodified-since"], False):
        raise condition_failed()
    if "if-none-match" in headers:
        if _names(headers["if-none-match"], etag):
            raise not_modified()
    elif "if-modified-since" in headers and not _changed_after(stored, headers["if-modified-since"], True):
        raise not_modified()


def object_headers(stored: Object) -> list[Header]:
    """The headers of an object that both APIs send."""
    hashes = f"crc32c={stored.crc32c}" + (f",md5={stored.md5}" if stored.md5 else "")
    encoding = stored.settings.get("contentEncoding", "identity")
    headers = [
        (b"content-type", clean(stored.settings.get("contentType", DEFAULT_TYPE))),
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
    """The text as a header's value, without control characters, which could end the header."""
    return "".join(c if c >= " " and c != "\x7f" else " " for c in text).strip().encode("utf-8", "replace")


def http_date(seconds: float) -> bytes:
    """The time in the format of RFC 9110 §5.6.7."""
    return formatdate(seconds, usegmt=True).encode()


def _names(header: str, etag: str) -> bool:
    return any(text.strip().removeprefix("W/").strip('"') in {"*", etag.strip('"')} for text in header.split(","))


def _changed_after(stored: Object, date: str, otherwise: bool) -> bool:
    try:
        return int(stored.updated) > parsedate_to_datetime(date).timestamp()
    except ValueError:
        return otherwise


def _is_transcoded(stored: Object, request: Request) -> bool:
    if stored.settings.get("contentEncoding") != "gzip" or "gzip" in request.headers.get("accept-encoding", ""):
        return False
    return "no-transform" not in stored.settings.get("cacheControl", "")


async def _is_gzip(contents: Contents, content: Content, size: int) -> bool:
    """Whether the content decompresses to its end. Checked first: an answer that has begun cannot be refused."""
    with contents.open(content) as file:
        if file.read(2) != b"\x1f\x8b":
            return False
    try:
        async for _ in gunzip(_read(contents.open(content), size)):
            await asyncio.sleep(0)
    except ApiError:
        return False
    return True


async def _read(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    with file:
        while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk
