"""Log lines as Cloud Logging reads them: one JSON object each, a sentence for people and fields for machines."""

import contextvars
import json
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

#: `projects/<project>/traces/<id>` of the request being served, so that its lines stand together
trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")
_subject: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("subject", default=MappingProxyType({}))


def about(**fields: Any) -> None:
    """What the request being served is about from here on: every line says it, whoever writes it."""
    _subject.set(fields)


def info(sentence: str, **fields: Any) -> None:
    """Something happened as it should."""
    _write("INFO", sentence, fields)


def warning(sentence: str, **fields: Any) -> None:
    """Something went wrong that will be tried again, or that is somebody else's fault."""
    _write("WARNING", sentence, fields)


def error(sentence: str, failure: BaseException | None = None, **fields: Any) -> None:
    """Something went wrong that an operator should look at; the stack of `failure` goes to the log and nowhere else."""
    stack = {"stack_trace": "".join(traceback.format_exception(failure))} if failure else {}
    _write("ERROR", sentence, fields | stack)


def _write(severity: str, sentence: str, fields: dict[str, Any]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"severity": severity, "time": now, "message": sentence, **_subject.get(), **fields}
    if trace.get():
        line["logging.googleapis.com/trace"] = trace.get()
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
