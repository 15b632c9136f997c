"""HTTP as every service sees it: a request whose body streams in, an answer, and the ASGI app between them.

A service's `http.py` gives `asgi_app` a function from `Request` to `Answer`, and another where its refusals are not plain JSON.
"""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from localcloud.compression import gunzip
from localcloud.errors import ApiError

log = logging.getLogger(__name__)

#: How long connections to the targets of pushes and tasks stay open unused: below the shortest keep-alive of common servers
#: (gunicorn: 2 s). A request sent while the target closes its idle connection would fail.
TARGET_KEEP_ALIVE_SECONDS = 1.5

Header = tuple[bytes, bytes]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Disconnected(Exception):
    """The client closed the connection before its request was complete, or before the answer."""


@dataclass(slots=True)
class Request:
    """One request; `path` is still percent-encoded, header names are lower-case."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    scheme: str
    body: AsyncIterator[bytes]
    receive: Receive | None = field(default=None, repr=False)
    _query: dict[str, str] | None = field(default=None, repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The first value of each key. Raises `ApiError` (INVALID_ARGUMENT) for a query that is not UTF-8."""
        if self._query is None:
            self._query = parse_query(self.raw_query)
        return self._query

    @property
    def base(self) -> str:
        """Scheme and host as the client wrote them, for links and upload locations."""
        return f"{self.scheme}://{self.headers.get('host', 'localhost')}"

    @property
    def is_gzipped(self) -> bool:
        """Whether the body is compressed in transit: Java's clients do it to JSON, `gsutil cp -J` to media."""
        return self.headers.get("content-encoding", "").strip().lower() == "gzip"

    def flag(self, key: str) -> bool:
        """A boolean query value; gcloud writes `True`."""
        return self.query.get(key, "").lower() == "true"

    async def read(self, max_bytes: int, *, is_plain: bool = False) -> bytes:
        """The whole body, decompressed unless `is_plain`. Raises `ApiError` (INVALID_ARGUMENT) above `max_bytes`.

        A longer body is received to its end first: a client that is still sending would see a reset, not the answer.
        """
        parts, size = [], 0
        async for part in gunzip(self.body) if self.is_gzipped and not is_plain else self.body:
            size += len(part)
            if size > max_bytes:
                async for _ in self.body:  # received, not decompressed: a megabyte of gzip can stand for a gigabyte
                    pass
                raise ApiError("INVALID_ARGUMENT", f"Request payload size exceeds the limit: {max_bytes} bytes.")
            parts.append(part)
        return b"".join(parts)

    async def disconnected(self) -> None:
        """Return when the client hangs up. Only for a request whose body was read to its end."""
        while self.receive and (await self.receive())["type"] != "http.disconnect":
            pass

    async def json(self, max_bytes: int) -> dict[str, Any]:
        """The body as a JSON object; `{}` when it is empty, or `null`. Raises `ApiError` (INVALID_ARGUMENT)."""
        return parse_resource(await self.read(max_bytes))


@dataclass(slots=True)
class Answer:
    """A status, headers and a body. A streamed body brings its own `Content-Length`, or has none."""

    status: int
    headers: list[Header]
    body: bytes | AsyncIterator[bytes] = b""


def json_refusal(_request: Request, error: ApiError) -> Answer:
    """An `ApiError` as Pub/Sub and Cloud Tasks answer it."""
    return json_bytes_answer(error.to_json(), error.http_code)


def asgi_app(
    answer: Callable[[Request], Awaitable[Answer]], refuse: Callable[[Request, ApiError], Answer] = json_refusal
) -> App:
    """The ASGI app of a service: `answer` answers a request, `refuse` words the `ApiError` that it raised."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = to_request(scope, receive)
        try:
            reply = await answer(request)
        except Disconnected:
            return
        except ApiError as error:
            reply = refuse(request, error)
        except Exception:
            # The log gets the cause; a client must not see our internals.
            log.exception("%s %s failed", request.method, request.path)
            reply = refuse(request, ApiError("INTERNAL", "Internal error encountered."))
        await send_answer(reply, send)

    return app


def to_request(scope: Scope, receive: Receive) -> Request:
    """An ASGI scope as a `Request`."""
    return Request(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        scope["scheme"],
        _Body(receive),
        receive,
    )


def parse_query(raw: str) -> dict[str, str]:
    """The first value of each key. Raises `ApiError` (INVALID_ARGUMENT) for a query that is not UTF-8."""
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict")
    except ValueError:
        raise ApiError("INVALID_ARGUMENT", "The query is not valid UTF-8.") from None
    return dict(reversed(pairs))


def parse_resource(body: bytes) -> dict[str, Any]:
    """A JSON object; `{}` when the body is empty, or `null`. Raises `ApiError` (INVALID_ARGUMENT).

    Go's client writes `null` for an absent resource, as in rclone's copies.
    """
    return {} if body.strip() == b"null" else parse_json(body)


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object; `{}` when the body is empty. Raises `ApiError` (INVALID_ARGUMENT)."""
    try:
        content = json.loads(body.decode() if body.strip() else "{}")
        if b"\\u" in body:
            # Half a surrogate pair is valid JSON but not valid text; protobuf and SQLite break on it.
            json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError("INVALID_ARGUMENT", f"Invalid JSON payload received. {error}") from None
    if not isinstance(content, dict):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. An object was expected.")
    return content


def json_answer(value: Any, status: int = 200, *headers: Header) -> Answer:
    """An answer with a JSON body."""
    return json_bytes_answer(json.dumps(value).encode(), status, *headers)


def json_bytes_answer(body: bytes, status: int = 200, *headers: Header) -> Answer:
    """An answer whose body is JSON already."""
    return Answer(status, [(b"content-type", b"application/json; charset=UTF-8"), *headers], body)


def empty_answer(status: int, *headers: Header) -> Answer:
    """An answer without a body."""
    return Answer(status, list(headers))


async def send_answer(answer: Answer, send: Send) -> None:
    """Send it; a streamed body goes as fast as the client reads."""
    if isinstance(answer.body, bytes):
        if answer.status not in {204, 304} and not any(name == b"content-length" for name, _ in answer.headers):
            answer.headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    async for chunk in answer.body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    """A body that is in memory already, as a stream."""
    for chunk in chunks:
        yield chunk


class _Body:
    """A request's body as it arrives. Not a generator: an unfinished generator costs the event loop a task to close."""

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
