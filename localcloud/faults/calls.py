"""HTTP calls that are answered with an error, cut off after some bytes, kept waiting, or not let through at all."""

import json
from typing import Any

from localcloud.clock import Clock
from localcloud.faults.rules import Faults, Rule
from localcloud.server import ABORT


def tampered(app: Any, service: str, faults: Faults, clock: Clock) -> Any:
    """The app behind the rules of its service."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        subject = f"{scope['method']} {scope['raw_path'].decode('latin-1')}?{scope['query_string'].decode('latin-1')}"
        await faults.passable(service, subject)
        rule = faults.take(service, subject)
        if rule and rule.kind == "answer":
            await _refuse(rule, send)
            return
        if rule and rule.kind == "delay":
            await clock.sleep(rule.seconds)
        if rule and rule.kind == "cut":
            receive, send = _cut(rule.after_bytes, scope["extensions"][ABORT]["abort"], receive, send)
        await app(scope, receive, send)

    return wrapped


async def _refuse(rule: Rule, send: Any) -> None:
    error = {
        "code": rule.status,
        "message": "planted by a fault rule",
        "errors": [{"reason": "backendError", "domain": "global"}],
    }
    headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": rule.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": error}).encode()})


def _cut(after_bytes: int, abort: Any, receive: Any, send: Any) -> tuple[Any, Any]:
    """Count the bodies of both directions; past the number, the connection is gone without a word."""
    passed = 0

    async def counted(message: Any) -> bool:
        nonlocal passed
        passed += len(message.get("body", b""))
        if passed >= after_bytes:
            abort()
        return passed >= after_bytes

    async def cut_receive() -> Any:
        message = await receive()
        return {"type": "http.disconnect"} if await counted(message) else message

    async def cut_send(message: Any) -> None:
        if not await counted(message):
            await send(message)

    return cut_receive, cut_send
