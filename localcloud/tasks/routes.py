"""Which method a request means. The one table of what the local Cloud Tasks does, and of what it names as missing."""

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.errors import ApiError
from localcloud.tasks.api import locations, policies, queues, tasks
from localcloud.tasks.service import Call, Reply, Service

_LOCATION = "projects/*/locations/*"
_QUEUE = f"{_LOCATION}/queues/*"
_TASK = f"{_QUEUE}/tasks/*"

Handler = Callable[[Service, Call], Reply]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API by the name that its reference has for it; without a handler, it is refused."""

    name: str
    handler: Handler | None = None


_METHODS: dict[tuple[str, str], Method] = {
    ("POST", f"{_QUEUE}/tasks"): Method("tasks.create", tasks.create),
    ("GET", f"{_QUEUE}/tasks"): Method("tasks.list", tasks.list_),
    ("GET", _TASK): Method("tasks.get", tasks.get),
    ("DELETE", _TASK): Method("tasks.delete", tasks.delete),
    ("POST", f"{_TASK}:run"): Method("tasks.run", tasks.run),
    ("POST", f"{_QUEUE}/tasks:buffer"): Method("tasks.buffer", tasks.buffer),
    ("POST", f"{_TASK}:buffer"): Method("tasks.buffer (with a task id)", tasks.buffer_named),
    ("POST", f"{_QUEUE}/tasks:batchCreate"): Method("tasks.batchCreate"),
    ("POST", f"{_QUEUE}/tasks:batchDelete"): Method("tasks.batchDelete"),
    ("POST", f"{_LOCATION}/queues"): Method("queues.create", queues.create),
    ("GET", f"{_LOCATION}/queues"): Method("queues.list", queues.list_),
    ("GET", _QUEUE): Method("queues.get", queues.get),
    ("PATCH", _QUEUE): Method("queues.patch", queues.update),
    ("DELETE", _QUEUE): Method("queues.delete", queues.delete),
    ("POST", f"{_QUEUE}:pause"): Method("queues.pause", queues.pause),
    ("POST", f"{_QUEUE}:resume"): Method("queues.resume", queues.resume),
    ("POST", f"{_QUEUE}:purge"): Method("queues.purge", queues.purge),
    ("POST", f"{_QUEUE}:getIamPolicy"): Method("queues.getIamPolicy", policies.get),
    ("POST", f"{_QUEUE}:setIamPolicy"): Method("queues.setIamPolicy", policies.set_),
    ("POST", f"{_QUEUE}:testIamPermissions"): Method("queues.testIamPermissions", policies.test),
    ("GET", "projects/*/locations"): Method("locations.list", locations.list_),
    ("GET", _LOCATION): Method("locations.get", locations.get),
    ("GET", f"{_LOCATION}/cmekConfig"): Method("locations.getCmekConfig"),
    ("PATCH", f"{_LOCATION}/cmekConfig"): Method("locations.updateCmekConfig"),
}


def operations() -> list[str]:
    """Every method that is emulated, by the name that Google's reference has for it."""
    return [method.name for method in _METHODS.values() if method.handler]


def find(http_method: str, path: str) -> tuple[Handler, str]:
    """What to run for a request, and the resource that it names."""
    name, shape = shape_of(path)
    method = _METHODS.get((http_method, shape)) if path.startswith("/v2/") else None
    if method is None:
        raise ApiError("NOT_FOUND", f"{http_method} {path} is not a method of the local Cloud Tasks (v2).")
    if method.handler is None:
        raise ApiError("UNIMPLEMENTED", f"{method.name} is not supported by the local Cloud Tasks.")
    return method.handler, name


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
