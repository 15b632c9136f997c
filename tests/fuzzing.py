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
#: Refusals of what a document forbids.
REFUSED = ["400", "401", "404", "405", "412", "413", "415"]
_MAY_BE_TAKEN = {"checks": {"negative_data_rejection": {"enabled": False}}}
OPERATIONS = [
    # Fields of a form are text: a number in place of a string is sent as the same bytes.
    {"include-operation-id": "upload_form"} | _MAY_BE_TAKEN,
    # The status service ignores parameters that are not for the question, such as a size without `explain`.
    {"include-operation-id-regex": "^(get|head)_(object|job|output)$"} | _MAY_BE_TAKEN,
]
KEY = "Idempotency-Key"
#: Keys that a stranger may send too. Whether others are taken depends on the caller.
KEYS = ["0d5a4b5e-3c5f-4f0e-9a53-7b1f6d1c2a90", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]

schemathesis.openapi.format("binary", strategies.binary(min_size=1, max_size=64))


def broken(document: Mapping[str, Any], served: Any, examples: int) -> Iterator[str]:
    """The faults of answers to the edges of each parameter, and to so many drawn requests per operation.

    `served` is a WSGI application, or the base URL of a running service.
    """
    phases = {"examples": {"enabled": False}, "stateful": {"enabled": False}}
    settings = {
        "generation": {**GENERATION, "max-examples": examples},
        "phases": phases,
        "operations": OPERATIONS,
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSED}},
        "continue-on-failure": True,
    } | ({"base-url": served} if isinstance(served, str) else {})
    schema = schemathesis.openapi.from_dict(_of_bytes(document), config=SchemathesisConfig.from_dict(settings))
    schema.app = None if isinstance(served, str) else served
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            yield from _failures(event)
        if isinstance(event, (events.NonFatalError, events.FatalError)):
            yield f"{type(event).__name__}: {event}"


def within(document: Mapping[str, Any], most_bytes: int) -> dict[str, Any]:
    """The document, with the largest size of a file, which is a setting of each installation, and with some keys."""
    whole = copy.deepcopy(dict(document))
    for operation in (one for path in whole["paths"].values() for one in path.values()):
        for parameter in operation["parameters"]:
            if parameter["name"] == "size":
                parameter["schema"]["maximum"] = most_bytes
            if parameter["name"] == KEY:
                parameter["schema"] = {"enum": KEYS}
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if body:
            body["schema"]["properties"]["size"]["maximum"] = most_bytes
    return whole


def _of_bytes(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without bodies of any type: Schemathesis would write these as YAML, XML or a form."""
    whole = copy.deepcopy(dict(document))
    for operation in (one for path in whole["paths"].values() for one in path.values()):
        operation.get("requestBody", {"content": {}})["content"].pop("*/*", None)
    return whole


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for case, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None and f"parameter `{KEY}`" not in str(check.failure_info.failure):
                sent, got = event.recorder.interactions[case].request, event.recorder.interactions[case].response
                answer = f"{got.status_code} {got.content[:300]!r}" if got else "no answer"
                what = f"{sent.method} {sent.uri[:300]} {sent.body[:300] if sent.body else b''!r} {dict(sent.headers)}"
                yield f"{what}\n{answer}\n{check.failure_info.failure}"
