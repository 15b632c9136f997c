"""Calls of an ASGI app without a server."""

from collections.abc import MutableMapping
from typing import Any

from localcloud.http import App


async def call(app: App, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Send one request; status and body of the answer. `path` may have a query."""
    raw_path, _, query = path.encode().partition(b"?")
    scope = {
        "type": "http",
        "scheme": "http",
        "method": method,
        "path": raw_path.decode(),
        "raw_path": raw_path,
        "query_string": query,
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(event: MutableMapping[str, Any]) -> None:
        sent.append(event)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(event["body"] for event in sent[1:])
