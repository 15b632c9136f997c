"""HTTP as the handlers see it: a parsed request with a streamed body, and an answer. Knows nothing about storage."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from localcloud.storage.errors import StorageError, invalid

#: No metadata is larger; a body kept in memory may not grow without end.
MAX_JSON_BYTES = 4 << 20

Header = tuple[bytes, bytes]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Disconnected(Exception):
    """The client went away before its whole request had arrived."""


@dataclass(slots=True)
class Request:
    """One request; `path` is still percent-encoded, header names are lower-case."""

    method: str
    path: str
    raw_query: str
    query: dict[str, str]
    headers: dict[str, str]
    scheme: str
    body: AsyncIterator[bytes]

    @property
    def base(self) -> str:
        """Scheme and host as the client wrote them: links and upload locations must lead back the same way."""
        return f"{self.scheme}://{self.headers.get('host', 'localhost')}"

    def flag(self, key: str) -> bool:
        """A boolean query value; gcloud writes `True`."""
        return self.query.get(key, "").lower() == "true"

    async def read(self) -> bytes:
        """The whole body, for requests that carry no media."""
        body = bytearray()
        async for chunk in self.body:
            body += chunk
            if len(body) > MAX_JSON_BYTES:
                raise invalid("The request body is too large.", "EntityTooLarge")
        return bytes(body)

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; `{}` when there is none."""
        return parse_json(await self.read())


@dataclass(slots=True)
class Answer:
    """A status, headers and a body, which may come in pieces (then `Content-Length` is among the headers or unknown)."""

    status: int
    headers: list[Header]
    body: bytes | AsyncIterator[bytes] = b""


def parse_request(scope: Any, receive: Receive) -> Request:
    """From an ASGI scope; 400 when the query is not UTF-8."""
    raw_query = scope["query_string"].decode("latin-1")
    return Request(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        raw_query,
        parse_query(raw_query),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        scope["scheme"],
        _Body(receive),
    )


def parse_query(raw: str) -> dict[str, str]:
    """The first value of every key."""
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict")
    except ValueError:
        raise invalid("The query is not valid UTF-8.", "InvalidURI") from None
    return dict(reversed(pairs))


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object from bytes; `{}` from none, 400 for anything else."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid("Parse Error: the body is not JSON.") from None
    if not isinstance(value, dict):
        raise invalid("Parse Error: the body is not a JSON object.")
    return value


def json_answer(value: Any, status: int = 200, etag: str | None = None) -> Answer:
    """An answer with a JSON body."""
    headers = [(b"content-type", b"application/json; charset=UTF-8")]
    if etag is not None:
        headers.append((b"etag", etag.encode()))
    return Answer(status, headers, json.dumps(value).encode())


def empty_answer(status: int, *headers: Header) -> Answer:
    """An answer without a body."""
    return Answer(status, list(headers))


def refusal(error: StorageError, is_json: bool) -> Answer:
    """The answer that tells a client about an error."""
    if error.code == 304:
        return empty_answer(304)
    kind = b"application/json; charset=UTF-8" if is_json else b"application/xml; charset=UTF-8"
    return Answer(error.code, [(b"content-type", kind)], error.to_json() if is_json else error.to_xml())


async def send_answer(answer: Answer, send: Send) -> None:
    """Write it out; a body in pieces goes as fast as the client reads."""
    if isinstance(answer.body, bytes):
        if answer.status not in {204, 304} and not any(name == b"content-length" for name, _ in answer.headers):
            answer.headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    async for chunk in answer.body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    """A body that is in memory already."""
    for chunk in chunks:
        yield chunk


class _Body:
    """A request's body as it arrives. Not a generator: one that is not read to its end costs the event loop a task to close it."""

    __slots__ = ("_is_over", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_over = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._is_over:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            self._is_over = not message.get("more_body")
            if chunk := message.get("body"):
                return bytes(chunk)
        raise StopAsyncIteration
