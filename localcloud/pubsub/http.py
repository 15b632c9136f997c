"""REST surface: a method's request message from path, query and body, and its reply as JSON."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import unquote

from localcloud.calls import Calls
from localcloud.errors import ApiError
from localcloud.http import Answer, App, Disconnected, Request, asgi_app, json_bytes_answer, parse_json
from localcloud.protobuf import fill, to_json
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.routes import find_route
from localcloud.pubsub.rules.names import last

#: 10 MB of data are 13.4 MB in base64; the rest is room for attributes.
MAX_BODY_BYTES = 20_000_000
#: Replies within this time need no watch for a disconnect; only a waiting Pull takes longer.
QUICK_SECONDS = 0.05

# Query parameters of every Google API (https://cloud.google.com/apis/docs/system-parameters).
_SYSTEM_PARAMETERS = frozenset(
    ("access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userProject")
)


def rest_app(broker: Broker, calls: Calls) -> App:
    """The ASGI app."""

    async def answer(request: Request) -> Answer:
        body = await request.read(MAX_BODY_BYTES)
        operation, method, name = find_route(request.method, unquote(request.path))
        calls[operation, last(name)] += 1
        message = fill(method.request(), _parameters(request.query), "query parameter")
        fill(message, parse_json(body))
        _set(message, method.field, name)
        reply = await _unless_disconnected(method.handler(broker, message), request)
        return json_bytes_answer(to_json(reply, request.query))

    return asgi_app(answer)


async def _unless_disconnected(reply: Awaitable[Any], request: Request) -> Any:
    """Await the reply; cancel it when the client hangs up, or a waiting Pull would lease messages to no client."""
    replying = asyncio.ensure_future(reply)
    await asyncio.wait((replying,), timeout=QUICK_SECONDS)
    if replying.done():
        return replying.result()
    listening = asyncio.ensure_future(request.disconnected())
    try:
        await asyncio.wait((replying, listening), return_when=asyncio.FIRST_COMPLETED)
        if not replying.done():
            raise Disconnected
        return replying.result()
    finally:
        replying.cancel()
        listening.cancel()


def _parameters(query: Mapping[str, str]) -> dict[str, Any]:
    """Query parameters as nested JSON: `a.b=c` → `{"a": {"b": "c"}}`."""
    parameters: dict[str, Any] = {}
    for name, value in query.items():
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


def _set(message: Any, path: str, value: str) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        message = getattr(message, parent)
    setattr(message, last, value)
