"""Structured log lines for Cloud Logging: one JSON object each, a sentence for people and fields for machines."""

import contextvars
import json
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

#: `projects/<project>/traces/<id>` of the current request: Cloud Logging groups its lines by this field
trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")
_bound: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("bound", default=MappingProxyType({}))


def bind(**fields: Any) -> None:
    """Add these fields to every later line of the current request, in place of those bound before."""
    _bound.set(fields)


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


def _write(severity: str, sentence: str, fields: dict[str, Any]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"severity": severity, "time": now, "message": sentence, **_bound.get(), **fields}
    if trace.get():
        line["logging.googleapis.com/trace"] = trace.get()
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
