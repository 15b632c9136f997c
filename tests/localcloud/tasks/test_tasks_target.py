"""The HTTP target of a queue, and the requests and records of attempts."""

from typing import Any

import pytest
from google.protobuf import json_format

from localcloud.tasks.delivery import attempt
from localcloud.tasks.messages import Queue, Task
from localcloud.tasks.model import Outcome, StoredTask
from localcloud.tasks.rules.http_target import overridden, overridden_url

URL = "https://example.com:8443/a?b=c"


def queue(**http_target: Any) -> Any:
    return json_format.ParseDict({"name": "projects/p/locations/l/queues/q", "httpTarget": http_target}, Queue())


def stored(**request: Any) -> StoredTask:
    message = json_format.ParseDict({"httpRequest": {"url": URL, "httpMethod": "POST", **request}}, Task())
    return StoredTask(1, 1, "t", named=True, executions=0, last_status=0, message=message)


@pytest.mark.parametrize(
    ("override", "url"),
    [
        ({}, URL),
        ({"host": "h"}, "https://h:8443/a?b=c"),
        ({"scheme": "HTTP", "host": "h", "port": "0"}, "http://h/a?b=c"),
        ({"port": "123"}, "https://example.com:123/a?b=c"),
        ({"pathOverride": {"path": "/z"}, "queryOverride": {"queryParams": "x=1"}}, "https://example.com:8443/z?x=1"),
        ({"pathOverride": {}, "queryOverride": {}}, "https://example.com:8443"),
        ({"host": "h", "port": "1", "uriOverrideEnforceMode": "IF_NOT_EXISTS"}, URL),
    ],
)
def test_the_queue_overrides_parts_of_the_url(override: dict[str, Any], url: str) -> None:
    assert overridden_url(URL, queue(uriOverride=override).http_target.uri_override) == url


def test_if_not_exists_adds_only_missing_parts() -> None:
    override = queue(uriOverride={"port": "1", "pathOverride": {"path": "/z"}, "uriOverrideEnforceMode": "IF_NOT_EXISTS"})

    assert overridden_url("http://example.com", override.http_target.uri_override) == "http://example.com:1/z"


def test_the_queue_overrides_method_headers_and_authorization() -> None:
    task = stored(body="YQ==", headers={"x-a": "old"}, oidcToken={"serviceAccountEmail": "task@x"})
    target = queue(
        httpMethod="GET",
        headerOverrides=[
            {"header": {"key": key, "value": "new"}} for key in ("X-A", "Content-Length", "x-cloudtasks-taskname")
        ],
        oidcToken={"serviceAccountEmail": "queue@x", "audience": "aud"},
    )

    request = attempt.outgoing(task, target, lambda email, audience: f"{email} for {audience}")

    assert (request.method, request.body) == ("GET", b"")
    assert [key for key, value in request.headers.items() if value == "new"] == ["X-A"]
    assert request.headers["Authorization"] == "Bearer queue@x for aud"
    assert "x-a" not in request.headers


def test_without_a_target_the_request_is_unchanged() -> None:
    task = stored()

    assert overridden(task.message.http_request, Queue()) is task.message.http_request


def test_the_token_replaces_the_authorization_of_the_task() -> None:
    task = stored(headers={"authorization": "Basic x"}, oidcToken={"serviceAccountEmail": "a@b"})

    request = attempt.outgoing(task, Queue(), lambda email, audience: f"{email} for {audience}")

    assert {name: value for name, value in request.headers.items() if name.lower() == "authorization"} == {
        "Authorization": f"Bearer a@b for {URL}"
    }


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (500, 13, "INTERNAL(13): HTTP status code 500"),
        (503, 14, "UNAVAILABLE(14): HTTP status code 503"),
        (404, 5, "NOT_FOUND(5): HTTP status code 404"),
        (418, 2, "UNKNOWN(2): HTTP status code 418"),
    ],
)
def test_an_attempt_records_its_answer(status: int, code: int, message: str) -> None:
    task = stored()
    attempt.begin(task, 100.0)
    attempt.finish(task, Outcome(status), 101.0)

    response = task.message.last_attempt.response_status
    assert (response.code, response.message) == (code, message)
    assert task.message.response_count == 1
    assert task.executions == (0 if status >= 500 else 1)


def test_an_attempt_without_an_answer_has_a_status_but_no_response() -> None:
    task = stored()
    attempt.begin(task, 100.0)
    attempt.finish(task, Outcome(None, "DEADLINE_EXCEEDED", "no response within 15 s"), 115.0)

    assert task.message.response_count == 0
    assert task.message.last_attempt.response_status.code == 4
    assert task.last_status == 504
