"""Faults of HTTP calls: an error as the answer, a connection cut after some bytes, a delay, a freeze."""

from collections.abc import Callable, MutableMapping
from typing import Any

from localcloud.clock import Clock
from localcloud.faults.rules import Faults, Rule
from localcloud.http import Answer, App, Receive, Scope, Send, json_answer, send_answer
from localcloud.server import ABORT


def with_faults(app: App, service: str, faults: Faults, clock: Clock) -> App:
    """The app of a service, subject to the rules for its calls."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        subject = f"{scope['method']} {scope['raw_path'].decode('latin-1')}?{scope['query_string'].decode('latin-1')}"
        await faults.wait_until_thawed(service, subject)
        rule = faults.take(service, subject)
        if rule and rule.kind == "answer":
            await send_answer(_error(rule), send)
            return
        if rule and rule.kind == "delay":
            await clock.sleep(rule.seconds)
        if rule and rule.kind == "cut":
            receive, send = _cut(rule.after_bytes, scope["extensions"][ABORT]["abort"], receive, send)
        await app(scope, receive, send)

    return wrapped


def _error(rule: Rule) -> Answer:
    error = {
        "code": rule.status,
        "message": "planted by a fault rule",
        "errors": [{"reason": "backendError", "domain": "global"}],
    }
    # The connection stays open: a client that is still sending its body would see a reset, not the answer.
    return json_answer({"error": error}, rule.status)


def _cut(after_bytes: int, abort: Callable[[], None], receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Abort the connection once the bodies of both directions have `after_bytes` together."""
    passed = 0

    def is_cut(message: MutableMapping[str, Any]) -> bool:
        nonlocal passed
        passed += len(message.get("body", b""))
        if passed >= after_bytes:
            abort()
        return passed >= after_bytes

    async def cut_receive() -> MutableMapping[str, Any]:
        message = await receive()
        return {"type": "http.disconnect"} if is_cut(message) else message

    async def cut_send(message: MutableMapping[str, Any]) -> None:
        if not is_cut(message):
            await send(message)

    return cut_receive, cut_send
