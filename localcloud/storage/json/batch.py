"""POST /batch/storage/v1: many JSON requests in one (https://cloud.google.com/storage/docs/batch)."""

import re
from collections.abc import Awaitable, Callable
from http.client import responses
from urllib.parse import urlsplit

from localcloud.errors import ApiError
from localcloud.http import Answer, Request, json_bytes_answer, parse_query, pieces
from localcloud.storage.errors import StorageError, invalid, storage_error
from localcloud.storage.media.mime import parse_mixed, part_headers, split_part
from localcloud.storage.rules.parameters import MAX_BODY_BYTES

MAX_REQUESTS = 1000
_BOUNDARY = "batch_of_answers"
_REQUEST_LINE = re.compile(r"\s*([A-Z]+) (\S+)(?: HTTP/[\d.]+)?\s*")

Handler = Callable[[Request], Awaitable[Answer]]


async def answer_batch(request: Request, answer: Handler) -> Answer:
    """Answer the requests one after the other, each by a part of its own."""
    parts = parse_mixed(request.headers.get("content-type", ""), await request.read(MAX_BODY_BYTES))
    if len(parts) > MAX_REQUESTS:
        raise invalid(f"A batch holds at most {MAX_REQUESTS} requests.")
    body = bytearray()
    for headers, content in parts:
        body += await _answer_part(request, headers.get("content-id", ""), content, answer)
    body += f"--{_BOUNDARY}--\r\n".encode()
    content_type = f"multipart/mixed; boundary={_BOUNDARY}".encode()
    return Answer(200, [(b"content-type", content_type)], bytes(body))


async def _answer_part(outer: Request, identity: str, content: bytes, answer: Handler) -> bytes:
    try:
        single = await answer(_parse(outer, content))
    except (StorageError, ApiError) as error:
        refusal = storage_error(error)
        single = json_bytes_answer(refusal.to_json(), refusal.code)
    body = single.body if isinstance(single.body, bytes) else b""
    reply_id = f"<response-{identity.strip('<>')}>".encode("latin-1", "replace")
    lines = [
        f"--{_BOUNDARY}".encode(),
        b"Content-Type: application/http",
        b"Content-ID: " + reply_id,
        b"",
        f"HTTP/1.1 {single.status} {responses.get(single.status, 'Unknown')}".encode(),
        *(name + b": " + value for name, value in single.headers),
        f"Content-Length: {len(body)}".encode(),
        b"",
        body,
        b"",
    ]
    return b"\r\n".join(lines)


def _parse(outer: Request, content: bytes) -> Request:
    head, body = split_part(content.lstrip())
    line, _, rest = head.lstrip(b"\n").partition(b"\n")
    found = _REQUEST_LINE.fullmatch(line.decode("latin-1"))
    if not found:
        raise invalid("A part of the batch is not an HTTP request.")
    try:
        url = urlsplit(found[2])
    except ValueError:
        raise invalid("A part of the batch has a malformed URL.") from None
    if parse_query(url.query).get("alt") == "media" or not url.path.startswith(("/storage/v1/", "/b/")):
        raise invalid("A batch takes requests to /storage/v1/ only, and no media.")
    headers = part_headers(rest) | {"host": outer.headers.get("host", "localhost")}
    return Request(found[1], url.path, url.query, headers, outer.scheme, pieces(body))
