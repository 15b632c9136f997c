"""Structured log lines for Cloud Logging: one JSON object each, a sentence for people and fields for machines.

The sentence is constant, so that lines can be grouped by it; all that varies is a field.
"""

import contextlib
import contextvars
import hashlib
import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

#: project, and the platform's own trace id or ""
_request: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("request", default=("", ""))
_timeline: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("timeline", default=MappingProxyType({}))
_bound: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("bound", default=MappingProxyType({}))


def begin(project: str, trace: str) -> None:
    """Begin a request with nothing bound. `trace` is the platform's own: 32 hexadecimal digits, or empty."""
    _request.set((project, trace))
    bind()


def follow(job_id: str, *span: object) -> None:
    """Put the later lines of the current request on the timeline of a job.

    Every function derives the same trace id from the job id, so nothing is propagated. All runs of a file share it. `span` names
    this request's part of it, such as a task and its delivery. The platform's own trace becomes the field `request_trace`.
    """
    project, request_trace = _request.get()
    timeline = {"file_id": job_id.partition("-")[0], **_on_trace(project, _digest(_first_run(job_id))[:32])}
    timeline["logging.googleapis.com/spanId"] = _digest("\0".join(map(str, span)))[:16]
    if request_trace:
        timeline["request_trace"] = _resource(project, request_trace)
    _timeline.set(timeline)


def bind(**fields: Any) -> None:
    """Add these fields to every later line of the current request, in place of those bound before.

    The lines are on the platform's trace until `follow`: the fields may be another file's.
    """
    _bound.set(fields)
    _timeline.set(_on_trace(*_request.get()))


@contextlib.contextmanager
def sent_to(sink: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Give each log line of this process to `sink` meanwhile. A command line's standard output is for data."""
    global _sink
    before, _sink = _sink, sink
    try:
        yield
    finally:
        _sink = before


def info(sentence: str, **fields: Any) -> None:
    """Log a normal event."""
    _write("INFO", sentence, fields)


def warning(sentence: str, **fields: Any) -> None:
    """Log a failure that is retried, or that a client caused."""
    _write("WARNING", sentence, fields)


def error(sentence: str, failure: BaseException | None = None, **fields: Any) -> None:
    """Log a failure that an operator should look at, with the stack trace of `failure`."""
    stack = {"stack_trace": "".join(traceback.format_exception(failure))} if failure else {}
    _write("ERROR", sentence, fields | stack)


def _on_trace(project: str, trace: str) -> dict[str, str]:
    return {"logging.googleapis.com/trace": _resource(project, trace)} if project and trace else {}


def _resource(project: str, trace: str) -> str:
    return f"projects/{project}/traces/{trace}"


def _first_run(job_id: str) -> str:
    """The id of run 0: `<file_id>-<generation>`, without the `-r<run>` of later ones."""
    return "-".join(job_id.split("-")[:2])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(severity: str, sentence: str, fields: dict[str, Any]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    _sink({"severity": severity, "time": now, "message": sentence, **_timeline.get(), **_bound.get(), **fields})


def _print(line: dict[str, Any]) -> None:
    written = json.dumps(line, default=str) + "\n"
    with contextlib.suppress(OSError):  # a full disk costs a local stack lines of its logs, not the answers
        sys.stdout.write(written)
        sys.stdout.flush()


#: Takes each log line; all threads share it.
_sink: Callable[[dict[str, Any]], None] = _print
