"""REST v2: reads a request, has its method run, and words the answer or refusal."""

import logging
from typing import Any
from urllib.parse import parse_qsl

from localcloud.errors import ApiError
from localcloud.tasks.messages import to_json
from localcloud.tasks.routes import find
from localcloud.tasks.service import Call, Reply, Service

log = logging.getLogger(__name__)

#: What Google's front end takes; a task itself may have 1 MiB.
MAX_BODY_BYTES = 10 << 20


class App:
    """The ASGI application."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._is_closed = False

    def close(self) -> None:
        """Refuse whatever still comes over open connections."""
        self._is_closed = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        try:
            body = await _body(receive)
        except _Disconnected:
            return
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        status, answer = self._answer(scope, query, body)
        headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, scope: Any, query: dict[str, str], body: bytes | None) -> tuple[int, bytes]:
        try:
            return 200, to_json(self._run(scope, query, body), query)
        except ApiError as error:
            refusal = error
        except Exception:  # a bug of ours: for the log, never for a client
            log.exception("%s %s failed", scope["method"], scope["path"])
            refusal = ApiError("INTERNAL", "Internal error encountered.")
        return refusal.http_code, refusal.to_json()

    def _run(self, scope: Any, query: dict[str, str], body: bytes | None) -> Reply:
        if self._is_closed:
            raise ApiError("UNAVAILABLE", "The local Cloud Tasks is stopping.")
        if body is None:
            raise ApiError("INVALID_ARGUMENT", f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes.")
        handler, name = find(scope["method"], scope["path"])
        content_type = next((value for key, value in scope["headers"] if key == b"content-type"), b"").decode("latin-1")
        return handler(self._service, Call(name, query, body, content_type))


class _Disconnected(Exception):
    """The client hung up before its request was complete."""


async def _body(receive: Any) -> bytes | None:
    """The whole body; None when it is too long to be kept."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _Disconnected
        part, more = event.get("body", b""), event.get("more_body", False)
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
    return b"".join(parts) if size <= MAX_BODY_BYTES else None
