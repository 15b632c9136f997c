"""The control API: `GET` lists the rules, `POST` adds one, `DELETE` ends all, or only the freezes of `?thaw=<service>`."""

import json
from typing import Any
from urllib.parse import parse_qs

from localcloud.faults.rules import Faults

CONTROL_PATH = "/local/faults"
MAX_BODY_BYTES = 10_000


def controlled(app: Any, faults: Faults) -> Any:
    """The app, with the control API beside it. It listens on loopback only, as everything here."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != CONTROL_PATH:
            await app(scope, receive, send)
            return
        status, body = _act(scope, await _body(receive), faults)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return wrapped


def _act(scope: Any, body: bytes, faults: Faults) -> tuple[int, bytes]:
    if scope["method"] == "POST":
        try:
            faults.add(**json.loads(body))
        except (ValueError, TypeError) as error:
            return 400, json.dumps({"error": str(error)}).encode()
    elif scope["method"] == "DELETE":
        thaw = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("thaw")
        if thaw:
            faults.thaw(thaw[0])
        else:
            faults.clear()
    elif scope["method"] != "GET":
        return 405, b'{"error": "GET, POST or DELETE"}'
    return 200, json.dumps(faults.to_json()).encode()


async def _body(receive: Any) -> bytes:
    body = b""
    while True:
        message: dict[str, Any] = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body") or len(body) > MAX_BODY_BYTES:
            return body
