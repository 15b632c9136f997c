"""Queues and tasks as they are stored; an attempt's request and outcome."""

from dataclasses import dataclass
from typing import Any

#: Longest Retry-After obeyed: a wrong value must not stop a queue for days.
MAX_PAUSE_SECONDS = 3600.0


@dataclass(slots=True)
class StoredQueue:
    """A queue; `policy` is its IAM policy as JSON."""

    key: int
    message: Any
    policy: str = "{}"


@dataclass(slots=True)
class StoredTask:
    """A task. `executions` counts responses other than 5xx; `last_status` is the last HTTP status, 0 before any."""

    key: int
    queue: int
    id: str
    named: bool
    executions: int
    last_status: int
    message: Any


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The HTTP request of an attempt."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: an HTTP status, or, without one, a canonical status (`failure`) and its message."""

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
        """429 and 503 slow down the whole queue (target.proto, HttpRequest)."""
        return self.http_status in (429, 503)

    @property
    def asked_pause_seconds(self) -> float:
        """Retry-After of an overloaded target, at most `MAX_PAUSE_SECONDS`; otherwise 0."""
        asked = self.retry_after_seconds if self.is_overload else None
        return min(asked or 0.0, MAX_PAUSE_SECONDS)
