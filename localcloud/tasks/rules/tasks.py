"""What a task may look like: the defaults that the service fills in, and the limits it keeps."""

from typing import Any
from urllib.parse import quote, urlsplit

from localcloud.clock import rfc3339
from localcloud.errors import ApiError
from localcloud.tasks.messages import Task, copy, seconds, set_time
from localcloud.tasks.rules import headers

#: Measured on the real service: its check counts the stored message, and 1 MiB - 7 bytes is the most it takes.
MAX_TASK_BYTES = (1 << 20) - 7
MAX_URL_CHARACTERS = 2083
MAX_HEADER_BYTES = 80 * 1024
MAX_AHEAD_SECONDS = 30 * 86_400
DEFAULT_DEADLINE_SECONDS, MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS = 600, 15, 1800

_WITH_BODY = ("POST", "PUT", "PATCH")
_OUTPUT_ONLY = ("create_time", "dispatch_count", "response_count", "first_attempt", "last_attempt", "view")


def new_task(name: str, asked: Any, now: float) -> Any:
    """The task as it will be kept: what was asked for, checked, and defaults for the rest."""
    task = copy(asked)
    for field in _OUTPUT_ONLY:
        task.ClearField(field)
    task.name = name
    _check_target(task)
    _complete_request(task.http_request)
    _complete_times(task, now)
    _require(task.ByteSize() <= MAX_TASK_BYTES, "Task size too large")
    return task


def method_name(number: int) -> str:
    """`1` → `POST`, the default."""
    methods = Task.DESCRIPTOR.fields_by_name["http_request"].message_type.fields_by_name["http_method"].enum_type
    return str(methods.values_by_number[number or 1].name)


def encoded_url(url: str) -> str:
    """The URL with what may not stand in one percent-encoded; what is encoded already is left alone."""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=-._~")


def _check_target(task: Any) -> None:
    if task.HasField("app_engine_http_request"):
        raise ApiError("UNIMPLEMENTED", "Task.appEngineHttpRequest: the local Cloud Tasks has no App Engine.")
    if task.HasField("retry_config"):
        raise ApiError("UNIMPLEMENTED", "Task.retryConfig: the local Cloud Tasks keeps retries per queue.")
    _require(task.HasField("http_request"), "Task.httpRequest is required.")


def _complete_request(request: Any) -> None:
    request.url = _checked_url(request.url)
    _check_authorization(request)
    if request.http_method not in range(8):
        raise ApiError("INVALID_ARGUMENT", f"HttpRequest.httpMethod {request.http_method} is unknown.")
    method = method_name(request.http_method)
    request.http_method = request.http_method or 1
    allowed = not request.body or method in _WITH_BODY
    _require(allowed, f"HttpRequest.body is not allowed for HttpMethod {method}; only for POST, PUT and PATCH.")
    _complete_headers(request.headers)


def _checked_url(url: str) -> str:
    _require(bool(url), "HttpRequest.url is required.")
    _require(url.lower().startswith(("http://", "https://")), "HttpTarget.url must start with 'http://' or 'https://'.")
    result = encoded_url(url)
    _require(len(result) <= MAX_URL_CHARACTERS, f"HttpRequest.url cannot be longer than {MAX_URL_CHARACTERS} characters.")
    _require(_has_host(result), "HttpRequest.url has no valid host and port.")
    return result


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_authorization(request: Any) -> None:
    kind = request.WhichOneof("authorization_header")
    email = getattr(request, kind).service_account_email if kind else "-@-"
    _require("@" in email, f"HttpRequest.{kind}.serviceAccountEmail must be the e-mail of a service account.")


def _complete_headers(given: Any) -> None:
    for name in list(given):
        headers.check(name, given[name], "HttpRequest.headers")
        if headers.is_reserved(name):
            del given[name]
    given["User-Agent"] = headers.USER_AGENT
    size = sum(len(name) + len(value.encode()) for name, value in given.items())
    _require(size < MAX_HEADER_BYTES, "The size of HttpRequest.headers must be less than 80KB.")


def _complete_times(task: Any, now: float) -> None:
    if not task.HasField("dispatch_deadline"):
        task.dispatch_deadline.seconds = DEFAULT_DEADLINE_SECONDS
    deadline = seconds(task.dispatch_deadline)
    within = MIN_DEADLINE_SECONDS <= deadline <= MAX_DEADLINE_SECONDS
    _require(within, "Task.dispatchDeadline must be between [15s, 30m].")
    schedule = seconds(task.schedule_time)
    _require(
        schedule <= now + MAX_AHEAD_SECONDS,
        f"The Task.scheduleTime, {rfc3339(min(schedule, 2e11))}, is too far in the future. "
        "Schedule time must be no more than 720h in the future.",
    )
    set_time(task.schedule_time, max(schedule, now))
    task.create_time.seconds = int(now)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ApiError("INVALID_ARGUMENT", message)
