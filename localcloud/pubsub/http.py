"""The REST surface (JSON over HTTP): finds the method of a request, fills its message, prints the answer."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf import json_format

from localcloud.errors import ApiError
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.methods import unary_methods
from localcloud.pubsub.routes import find_route

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: 10 MB of data are 13.4 MB in base64; the rest is room for attributes.
MAX_BODY_BYTES = 20_000_000

# Query parameters of Google's front end that say nothing about the method (cloud.google.com/apis/docs/system-parameters).
_SYSTEM_PARAMETERS = frozenset(
    ("access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userProject")
)


class Rest:
    """The ASGI app."""

    def __init__(self, broker: Broker) -> None:
        services = unary_methods(broker)
        self._methods = {name: method for methods in services.values() for name, method in methods.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, body = 200, await self._answer(scope, receive)
        except ApiError as error:
            status, body = error.http_code, error.to_json()
        except _Disconnected:
            return
        except Exception:
            # What a client sees must not contain our insides.
            log.exception("a Pub/Sub request failed")
            internal = ApiError("INTERNAL", "Internal error encountered.")
            status, body = internal.http_code, internal.to_json()
        headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        body = await _body(receive)
        route, values = find_route(scope["method"], scope["path"])
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        handler, request_type = self._methods[route.method]
        request = request_type()
        _fill(request, _parameters(query), "query parameter")
        _fill(request, _json(body), "JSON payload")
        for path, value in values.items():
            _set(request, path, value)
        reply = await _unless_disconnected(handler(request), receive)
        integers = any(name.endswith("alt") and "enum-encoding=int" in value for name, value in query)
        return json.dumps(json_format.MessageToDict(reply, use_integers_for_enums=integers)).encode()


class _Disconnected(Exception):
    """The client hung up before we had an answer."""


async def _unless_disconnected(answer: Awaitable[Any], receive: Receive) -> Any:
    """The answer; a client that hangs up while it waits gets none, and takes no messages with it."""
    answering = asyncio.ensure_future(answer)
    # Most answers need no waiting at all: a turn of the loop is enough, or the commit at the end of it.
    await asyncio.wait((answering,), timeout=0.05)
    if answering.done():
        return answering.result()
    listening = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((answering, listening), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise _Disconnected
        return answering.result()
    finally:
        answering.cancel()
        listening.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes:
    chunks, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _Disconnected
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY_BYTES:
            raise ApiError("INVALID_ARGUMENT", f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes.")
        if not event.get("more_body"):
            return b"".join(chunks)


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body.decode() or "{}")
        if b"\\u" in body:
            # Half a surrogate pair is JSON, but no text; protobuf breaks on it.
            json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError("INVALID_ARGUMENT", f"Invalid JSON payload received. {error}") from None
    if not isinstance(content, dict):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. An object was expected.")
    return content


def _parameters(query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for name, value in query:
        if name in _SYSTEM_PARAMETERS or name.startswith(("$", "upload")):
            continue
        target = parameters
        *parents, last = name.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise ApiError("INVALID_ARGUMENT", f"Invalid query parameter received. {name[:80]!r}: {parent!r} has a value.")
        target[last] = value
    return parameters


def _fill(request: Any, content: dict[str, Any], source: str) -> None:
    try:
        json_format.ParseDict(content, request)
    except (json_format.ParseError, OverflowError) as error:  # an enum of 1e999
        raise ApiError("INVALID_ARGUMENT", f"Invalid {source} received. {error}") from None


def _set(request: Any, path: str, value: str) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        request = getattr(request, parent)
    setattr(request, last, value)
