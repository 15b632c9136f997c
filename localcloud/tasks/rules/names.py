"""Resource names: their patterns and their parts."""

import re
import secrets
from typing import Any

from localcloud.errors import ApiError

_REFERENCE = "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues"
_PROJECT = re.compile(r"projects/[A-Za-z0-9.:-]+")
_LOCATION = re.compile(_PROJECT.pattern + r"/locations/[a-z0-9-]+")
_QUEUE = re.compile(_LOCATION.pattern + r"/queues/[A-Za-z0-9-]{1,100}")
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


def check_location(name: str) -> str:
    """The name, if it is a location's. Raises `ApiError` (INVALID_ARGUMENT)."""
    if not _LOCATION.fullmatch(name):
        raise ApiError("INVALID_ARGUMENT", "Invalid resource field value in the request.")
    return name


def check_project(name: str) -> str:
    """The name, if it is a project's. Raises `ApiError` (INVALID_ARGUMENT)."""
    if not _PROJECT.fullmatch(name):
        raise ApiError("INVALID_ARGUMENT", "Invalid resource field value in the request.")
    return name


def check_queue(name: str) -> str:
    """The name, if it is a queue's. Raises `ApiError` (INVALID_ARGUMENT)."""
    if not _QUEUE.fullmatch(name):
        form = '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>".'
        help_ = _help("Definition of queue name", f"{_REFERENCE}#Queue.FIELDS.name")
        raise ApiError("INVALID_ARGUMENT", f"Queue name must be formatted: {form}", help_)
    return name


def task_id(parent: str, name: str) -> str:
    """The id in the full name of a task of queue `parent`. Raises `ApiError` (INVALID_ARGUMENT)."""
    queue, id_ = queue_of_task(name), name.partition("/tasks/")[2]
    if queue != parent:
        raise ApiError(
            "INVALID_ARGUMENT",
            f"The queue name from request ('{parent}') must be the same as the queue name in the named task ('{queue}').",
        )
    return check_task_id(id_)


def queue_of_task(name: str) -> str:
    """The queue in the full name of a task. Raises `ApiError` (INVALID_ARGUMENT)."""
    queue, separator, _ = name.partition("/tasks/")
    if not separator or not _QUEUE.fullmatch(queue):
        form = '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>"'
        raise ApiError("INVALID_ARGUMENT", f"Task name must be formatted: {form}")
    return queue


def check_task_id(id_: str) -> str:
    """The id, if it is a valid task id. Raises `ApiError` (INVALID_ARGUMENT)."""
    if not _TASK_ID.fullmatch(id_):
        raise ApiError(
            "INVALID_ARGUMENT",
            f'Task ID "{id_}" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_). '
            "Task ID must between 1 and 500 characters.",
            _help("Definition of task ID", f"{_REFERENCE}.tasks#Task.FIELDS.name"),
        )
    return id_


def new_task_id() -> str:
    """A random id of twenty digits, as Cloud Tasks assigns to tasks created without a name."""
    return str(secrets.randbelow(9 * 10**19) + 10**19)


def last(name: str) -> str:
    """`projects/p/locations/l/queues/q` → `q`."""
    return name.rpartition("/")[2]


def queue_id(name: str) -> str:
    """The queue in the name of a queue or a task; empty for a location."""
    return name.partition("/queues/")[2].partition("/")[0]


def parent(name: str) -> str:
    """`…/queues/q/tasks/t` → `…/queues/q`."""
    return name.rsplit("/", 2)[0]


def _help(description: str, url: str) -> list[dict[str, Any]]:
    return [{"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": description, "url": url}]}]
