"""Schemathesis on an OpenAPI document and its application: every answer that breaks the contract."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

#: The same requests in every run and every worker, nothing kept between runs.
GENERATION = {"deterministic": True, "database": "none", "no-shrink": True}
#: Fields of a form are text: a number in place of a string is sent as the same bytes.
_TAKEN = {"checks": {"negative_data_rejection": {"enabled": False}}}
FORM = {"include-operation-id": "upload_form"} | _TAKEN
#: The status service ignores parameters that are not for the question, such as a size without `explain`.
STATES = {"include-operation-id-regex": "^(get|head)_(object|job|output)$"} | _TAKEN

schemathesis.openapi.format("binary", strategies.binary(min_size=1, max_size=64))


def broken(document: Mapping[str, Any], app: Any, examples: int) -> Iterator[str]:
    """The faults of answers to the edges of each parameter, and to so many drawn requests per operation."""
    phases = {"examples": {"enabled": False}, "stateful": {"enabled": False}}
    settings = {
        "generation": {**GENERATION, "max-examples": examples},
        "phases": phases,
        "operations": [FORM, STATES],
        "continue-on-failure": True,
    }
    schema = schemathesis.openapi.from_dict(_of_bytes(document), config=SchemathesisConfig.from_dict(settings))
    schema.app = app
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            yield from _failures(event)
        if isinstance(event, (events.NonFatalError, events.FatalError)):
            yield f"{type(event).__name__}: {event}"


def _of_bytes(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without bodies of any type: Schemathesis would write these as YAML, XML or a form."""
    whole = copy.deepcopy(dict(document))
    for operation in (one for path in whole["paths"].values() for one in path.values()):
        operation.get("requestBody", {"content": {}})["content"].pop("*/*", None)
    return whole


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for case, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                sent, got = event.recorder.interactions[case].request, event.recorder.interactions[case].response
                answer = f"{got.status_code} {got.content[:300]!r}" if got else "no answer"
                what = f"{sent.method} {sent.uri[:300]} {sent.body[:300] if sent.body else b''!r} {dict(sent.headers)}"
                yield f"{what}\n{answer}\n{check.failure_info.failure}"
