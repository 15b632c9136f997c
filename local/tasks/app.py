"""REST v2: finds the method for a request, runs it, and words its answer or refusal."""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from local.errors import ApiError
from local.tasks import locations, policies, queues, tasks
from local.tasks.messages import to_json
from local.tasks.service import Call, Reply, Service

log = logging.getLogger(__name__)

#: What Google's front end takes; a task itself may have 1 MiB.
MAX_BODY_BYTES = 10 << 20

_LOCATION = "projects/*/locations/*"
_QUEUE = f"{_LOCATION}/queues/*"
_TASK = f"{_QUEUE}/tasks/*"

Handler = Callable[[Service, Call], Reply]


def _unsupported(what: str) -> Handler:
    def refuse(_service: Service, _call: Call) -> Reply:
        raise ApiError("UNIMPLEMENTED", f"{what} not supported by the local Cloud Tasks.")

    return refuse


ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", f"{_QUEUE}/tasks"): tasks.create,
    ("GET", f"{_QUEUE}/tasks"): tasks.list_,
    ("GET", _TASK): tasks.get,
    ("DELETE", _TASK): tasks.delete,
    ("POST", f"{_TASK}:run"): tasks.run,
    ("POST", f"{_QUEUE}/tasks:buffer"): tasks.buffer,
    ("POST", f"{_TASK}:buffer"): tasks.buffer_named,
    ("POST", f"{_QUEUE}/tasks:batchCreate"): _unsupported("tasks:batchCreate is"),
    ("POST", f"{_QUEUE}/tasks:batchDelete"): _unsupported("tasks:batchDelete is"),
    ("POST", f"{_LOCATION}/queues"): queues.create,
    ("GET", f"{_LOCATION}/queues"): queues.list_,
    ("GET", _QUEUE): queues.get,
    ("PATCH", _QUEUE): queues.update,
    ("DELETE", _QUEUE): queues.delete,
    ("POST", f"{_QUEUE}:pause"): queues.pause,
    ("POST", f"{_QUEUE}:resume"): queues.resume,
    ("POST", f"{_QUEUE}:purge"): queues.purge,
    ("POST", f"{_QUEUE}:getIamPolicy"): policies.get,
    ("POST", f"{_QUEUE}:setIamPolicy"): policies.set_,
    ("POST", f"{_QUEUE}:testIamPermissions"): policies.test,
    ("GET", "projects/*/locations"): locations.list_,
    ("GET", _LOCATION): locations.get,
    ("GET", f"{_LOCATION}/cmekConfig"): _unsupported("customer-managed encryption keys are"),
    ("PATCH", f"{_LOCATION}/cmekConfig"): _unsupported("customer-managed encryption keys are"),
}


class App:
    """The ASGI application."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        status, answer = self._answer(scope, query, await _body(receive))
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
        if body is None:
            raise ApiError("INVALID_ARGUMENT", f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes.")
        name, shape = shape_of(scope["path"])
        handler = ROUTES.get((scope["method"], shape))
        if handler is None:
            raise ApiError("NOT_FOUND", f"{scope['method']} {scope['path']} is not a method of the local Cloud Tasks (v2).")
        content_type = next((value for key, value in scope["headers"] if key == b"content-type"), b"").decode("latin-1")
        return handler(self._service, Call(name, query, body, content_type))


def shape_of(path: str) -> tuple[str, str]:
    """`/v2/projects/p/locations/l/queues/q:pause` → its resource `projects/p/…/q` and `projects/*/locations/*/queues/*:pause`.

    A collection at the end is left out of the resource: what is listed or created belongs to its parent.
    """
    segments = path.removeprefix("/v2/").split("/")
    # Project ids may have a colon of their own, a verb comes last.
    segments[-1], colon, verb = segments[-1].partition(":") if len(segments) > 2 else (segments[-1], "", "")
    shape = "/".join("*" if index % 2 else segment for index, segment in enumerate(segments))
    is_collection = len(segments) % 2 and segments[-1] != "cmekConfig"
    return "/".join(segments[:-1] if is_collection else segments), shape + colon + verb


async def _body(receive: Any) -> bytes | None:
    """The whole body; None when it is too long to be kept."""
    event = await receive()
    if not event.get("more_body"):
        return bytes(event.get("body", b""))
    parts, size = [event["body"]], len(event["body"])
    while event.get("more_body"):
        event = await receive()
        size += len(event.get("body", b""))
        if size <= MAX_BODY_BYTES:
            parts.append(event.get("body", b""))
    return b"".join(parts) if size <= MAX_BODY_BYTES else None
