"""One attempt at a task: its request, and its record in the task. Pure; `sender.py` sends the request."""

from collections.abc import Callable
from typing import Any

from localcloud.errors import CANONICAL
from localcloud.protobuf import seconds, set_time
from localcloud.tasks.model import Outcome, Outgoing, StoredTask
from localcloud.tasks.rules import names
from localcloud.tasks.rules.http_request import USER_AGENT, method_name
from localcloud.tasks.rules.http_target import overridden

#: The status that a retry carries after an attempt without a response (seen in production).
NO_RESPONSE_STATUS = 504

_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_STATUSES |= {409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED"}
_STATUSES |= {503: "UNAVAILABLE"}


#: (e-mail, audience) → OIDC token
SignToken = Callable[[str, str], str]


def begin(task: StoredTask, now: float) -> None:
    """Record the start of an attempt in the task."""
    message = task.message
    message.dispatch_count += 1
    message.last_attempt.Clear()
    message.last_attempt.schedule_time.CopyFrom(message.schedule_time)
    set_time(message.last_attempt.dispatch_time, now)
    if not message.HasField("first_attempt"):
        set_time(message.first_attempt.dispatch_time, now)


def finish(task: StoredTask, outcome: Outcome, now: float) -> None:
    """Record the end of the attempt in the task."""
    message, status = task.message, outcome.http_status
    task.last_status = status or NO_RESPONSE_STATUS
    if status is not None:
        message.response_count += 1
        task.executions += 0 if 500 <= status < 600 else 1
    attempt = message.last_attempt
    set_time(attempt.response_time, now)
    canonical = outcome.failure if status is None else _STATUSES.get(status, "UNKNOWN")
    attempt.response_status.code = _number(canonical)
    detail = outcome.message if status is None else f"HTTP status code {status}"
    attempt.response_status.message = f"{canonical}({attempt.response_status.code}): {detail}"


def outgoing(task: StoredTask, queue: Any, sign: SignToken) -> Outgoing:
    """The request of an attempt that has begun, with the queue's overrides and the headers of Cloud Tasks."""
    request = overridden(task.message.http_request, queue)
    own = _cloud_tasks_headers(task, names.last(queue.name))
    if request.HasField("oidc_token"):
        own["Authorization"] = f"Bearer {sign(request.oidc_token.service_account_email, _audience(request))}"
    elif request.HasField("oauth_token"):
        own["Authorization"] = f"Bearer {sign(request.oauth_token.service_account_email, _scope(request))}"
    taken = {name.lower() for name in own}
    theirs = {name: value for name, value in request.headers.items() if name.lower() not in taken}
    deadline = seconds(task.message.dispatch_deadline)
    return Outgoing(method_name(request.http_method), request.url, theirs | own, request.body, deadline)


def _cloud_tasks_headers(task: StoredTask, queue_id: str) -> dict[str, str]:
    message = task.message
    schedule = message.last_attempt.schedule_time
    headers = {
        "User-Agent": USER_AGENT,
        "X-CloudTasks-QueueName": queue_id,
        "X-CloudTasks-TaskName": task.id,
        "X-CloudTasks-TaskRetryCount": str(message.dispatch_count - 1),
        "X-CloudTasks-TaskExecutionCount": str(task.executions),
        "X-CloudTasks-TaskETA": f"{schedule.seconds}.{schedule.nanos // 1000:06d}",
    }
    if task.last_status:
        # The reason is empty for HTTP targets (seen in production).
        headers |= {"X-CloudTasks-TaskPreviousResponse": str(task.last_status), "X-CloudTasks-TaskRetryReason": ""}
    return headers


def _audience(request: Any) -> str:
    return str(request.oidc_token.audience or request.url)


def _scope(request: Any) -> str:
    return str(request.oauth_token.scope or "https://www.googleapis.com/auth/cloud-platform")


def _number(canonical: str) -> int:
    if canonical == "UNKNOWN":
        return 2
    if canonical == "DEADLINE_EXCEEDED":
        return 4
    return int(CANONICAL[canonical][1].value[0])
