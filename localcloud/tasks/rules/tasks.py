"""Checks and defaults of tasks."""

import itertools
from typing import Any

from localcloud.clock import rfc3339
from localcloud.errors import ApiError, require
from localcloud.protobuf import copy, seconds, set_time
from localcloud.tasks.messages import BASIC, FULL
from localcloud.tasks.rules import http_request

#: Limit of the stored message, measured on the real service: 1 MiB - 7 bytes.
MAX_TASK_BYTES = (1 << 20) - 7
#: Of a page of tasks, and of what protobuf adds to each of them.
MAX_PAGE_BYTES, MAX_OVERHEAD_BYTES = (4 << 20) - 1000, 6
MAX_AHEAD_SECONDS = 30 * 86_400
DEFAULT_DEADLINE_SECONDS, MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS = 600, 15, 1800

_OUTPUT_ONLY = ("create_time", "dispatch_count", "response_count", "first_attempt", "last_attempt", "view")
_VIEWS = {"": BASIC, "0": BASIC, "1": BASIC, "2": FULL}
_VIEWS |= {"VIEW_UNSPECIFIED": BASIC, "BASIC": BASIC, "FULL": FULL}


def new_task(name: str, asked: Any, now: float) -> Any:
    """The task to store: a checked copy with its defaults. Raises `ApiError` (INVALID_ARGUMENT, UNIMPLEMENTED)."""
    task = copy(asked)
    for field in _OUTPUT_ONLY:
        task.ClearField(field)
    task.name = name
    _check_target(task)
    http_request.complete(task.http_request)
    _complete_times(task, now)
    require(task.ByteSize() <= MAX_TASK_BYTES, "Task size too large")
    return task


def page(tasks: list[Any]) -> list[Any]:
    """The first tasks whose answer stays below 4 MiB, gRPC's default limit in clients; at least one of them."""
    sizes = itertools.accumulate(task.ByteSize() + MAX_OVERHEAD_BYTES for task in tasks)
    return tasks[: max(1, sum(size <= MAX_PAGE_BYTES for size in sizes))]


def view(value: str) -> int:
    """A `responseView` by name or number; BASIC is the default."""
    require(value in _VIEWS, f"Invalid value at 'response_view': {value}.")
    return _VIEWS[value]


def _check_target(task: Any) -> None:
    if task.HasField("app_engine_http_request"):
        raise ApiError("UNIMPLEMENTED", "Task.appEngineHttpRequest: the local Cloud Tasks has no App Engine.")
    if task.HasField("retry_config"):
        raise ApiError("UNIMPLEMENTED", "Task.retryConfig: the local Cloud Tasks keeps retries per queue.")
    require(task.HasField("http_request"), "Task.httpRequest is required.")


def _complete_times(task: Any, now: float) -> None:
    if not task.HasField("dispatch_deadline"):
        task.dispatch_deadline.seconds = DEFAULT_DEADLINE_SECONDS
    within = MIN_DEADLINE_SECONDS <= seconds(task.dispatch_deadline) <= MAX_DEADLINE_SECONDS
    require(within, "Task.dispatchDeadline must be between [15s, 30m].")
    schedule = seconds(task.schedule_time)
    if schedule > now + MAX_AHEAD_SECONDS:
        raise ApiError(
            "INVALID_ARGUMENT",
            f"The Task.scheduleTime, {rfc3339(min(schedule, 2e11))}, is too far in the future. "
            "Schedule time must be no more than 720h in the future.",
        )
    set_time(task.schedule_time, max(schedule, now))
    task.create_time.seconds = int(now)
