"""One attempt to run a task: the request for it, and what the task remembers. Pure; `sender.py` does the sending."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.errors import CANONICAL
from localcloud.tasks.data.store import StoredTask
from localcloud.tasks.messages import seconds, set_time
from localcloud.tasks.rules import names
from localcloud.tasks.rules.target import overridden
from localcloud.tasks.rules.tasks import method_name

#: What a retry is told when the attempt before got no answer at all (seen in production).
NO_RESPONSE_STATUS = 504
#: A Retry-After beyond this is not believed: a typing mistake must not stop a queue for days.
LONGEST_PAUSE_SECONDS = 3600.0

_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_STATUSES |= {409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED"}
_STATUSES |= {503: "UNAVAILABLE"}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An HTTP request, ready to be sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: an HTTP status, or none and how it failed (canonical status and words)."""

    http_status: int | None
    failure: str = "UNAVAILABLE"
    message: str = ""
    retry_after_seconds: float | None = None

    @property
    def is_success(self) -> bool:
        """2xx: the task is done."""
        return self.http_status is not None and 200 <= self.http_status < 300

    @property
    def is_overload(self) -> bool:
        """The answers that slow down the whole queue (target.proto, HttpRequest)."""
        return self.http_status in (429, 503)

    @property
    def asked_pause_seconds(self) -> float:
        """The Retry-After of an overloaded target, within reason."""
        asked = self.retry_after_seconds if self.is_overload else None
        return min(asked or 0.0, LONGEST_PAUSE_SECONDS)


#: (e-mail, audience) → an OIDC token
SignToken = Callable[[str, str], str]


def begin(task: StoredTask, now: float) -> None:
    """Note that an attempt is under way."""
    message = task.message
    message.dispatch_count += 1
    message.last_attempt.Clear()
    message.last_attempt.schedule_time.CopyFrom(message.schedule_time)
    set_time(message.last_attempt.dispatch_time, now)
    if not message.HasField("first_attempt"):
        set_time(message.first_attempt.dispatch_time, now)


def finish(task: StoredTask, outcome: Outcome, now: float) -> None:
    """Note how the attempt ended."""
    message, status = task.message, outcome.http_status
    task.previous = status or NO_RESPONSE_STATUS
    if status is not None:
        message.response_count += 1
        task.executions += 0 if 500 <= status < 600 else 1
    attempt = message.last_attempt
    set_time(attempt.response_time, now)
    canonical = outcome.failure if status is None else _STATUSES.get(status, "UNKNOWN")
    attempt.response_status.code = _number(canonical)
    words = outcome.message if status is None else f"HTTP status code {status}"
    attempt.response_status.message = f"{canonical}({attempt.response_status.code}): {words}"


def outgoing(task: StoredTask, queue: Any, sign: SignToken) -> Outgoing:
    """The request for an attempt that has begun: the task's own, under the queue's overrides, with our headers."""
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
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": queue_id,
        "X-CloudTasks-TaskName": task.id,
        "X-CloudTasks-TaskRetryCount": str(message.dispatch_count - 1),
        "X-CloudTasks-TaskExecutionCount": str(task.executions),
        "X-CloudTasks-TaskETA": f"{schedule.seconds}.{schedule.nanos // 1000:06d}",
    }
    if task.previous:
        # The reason is empty for HTTP targets (seen in production).
        headers |= {"X-CloudTasks-TaskPreviousResponse": str(task.previous), "X-CloudTasks-TaskRetryReason": ""}
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
