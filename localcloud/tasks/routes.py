"""The routing table: every method of Cloud Tasks v2, supported or not, and one of v2beta3."""

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.errors import ApiError
from localcloud.tasks.api import locations, policies, queues, tasks
from localcloud.tasks.api.call import Call, Reply

_LOCATION = "projects/*/locations/*"
_QUEUE = f"{_LOCATION}/queues/*"
_TASK = f"{_QUEUE}/tasks/*"

Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API, by its name in Google's reference; without a handler it is refused as unsupported."""

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
#: By version, as it stands in paths. Only v2beta3 has the statistics of a queue.
_VERSIONS = {"v2": _METHODS, "v2beta3": {("GET", _QUEUE): Method("queues.get (v2beta3)", queues.get_masked)}}


def operations() -> list[str]:
    """Every supported method, by its name in Google's reference."""
    return [method.name for methods in _VERSIONS.values() for method in methods.values() if method.handler]


def handler_of(operation: str) -> Handler:
    """The handler of a supported operation, for gRPC."""
    return next(m.handler for table in _VERSIONS.values() for m in table.values() if m.name == operation and m.handler)


def find(http_method: str, path: str) -> tuple[str, Handler, str]:
    """A request's operation and handler, and the resource it names. Raises `ApiError` (NOT_FOUND, UNIMPLEMENTED)."""
    name, shape = shape_of(path)
    method = _VERSIONS.get(path[1:].partition("/")[0], {}).get((http_method, shape))
    if method is None:
        raise ApiError("NOT_FOUND", f"{http_method} {path} is not a method of the local Cloud Tasks (v2).")
    if method.handler is None:
        raise ApiError("UNIMPLEMENTED", f"{method.name} is not supported by the local Cloud Tasks.")
    return method.name, method.handler, name


def shape_of(path: str) -> tuple[str, str]:
    """A path's resource and shape: `/v2/projects/p/locations/l:v` → `projects/p/locations/l` and its pattern.

    The pattern is the path with `*` for ids: `projects/*/locations/*:v`.
    Of a collection, the resource is the parent: `…/queues/q/tasks` → `…/queues/q`.
    """
    segments = path.split("/")[2:] or [""]
    # Project ids may contain a colon; only the last segment can have a verb.
    segments[-1], colon, verb = segments[-1].partition(":") if len(segments) > 2 else (segments[-1], "", "")
    shape = "/".join("*" if index % 2 else segment for index, segment in enumerate(segments))
    is_collection = len(segments) % 2 and segments[-1] != "cmekConfig"
    return "/".join(segments[:-1] if is_collection else segments), shape + colon + verb
