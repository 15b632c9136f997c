"""Defaults and limits of queues and tasks."""

from typing import Any

import pytest
from google.protobuf import json_format

from localcloud.errors import ApiError
from localcloud.tasks.messages import Queue, Task
from localcloud.tasks.routes import shape_of
from localcloud.tasks.rules import queues as queue_rules
from localcloud.tasks.rules import tasks as task_rules

QUEUE = "projects/p/locations/l/queues/q"
NOW = 1_800_000_000.25


def queue(**fields: Any) -> Any:
    asked = json_format.ParseDict(fields, Queue())
    return queue_rules.new_queue(QUEUE, asked, queue_rules.zeros(fields, asked))


def updated(before: Any, mask: str, **fields: Any) -> Any:
    changes = json_format.ParseDict(fields, Queue())
    return queue_rules.updated(before, changes, mask, queue_rules.zeros(fields, changes))


def task(**fields: Any) -> Any:
    return task_rules.new_task(f"{QUEUE}/tasks/t", json_format.ParseDict(fields, Task()), NOW)


def request(**fields: Any) -> dict[str, Any]:
    return {"httpRequest": {"url": "https://example.com/", **fields}}


def test_a_queue_gets_the_defaults_of_the_service() -> None:
    assert json_format.MessageToDict(queue()) == {
        "name": QUEUE,
        "rateLimits": {"maxDispatchesPerSecond": 500.0, "maxBurstSize": 100, "maxConcurrentDispatches": 1000},
        "retryConfig": {"maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16},
        "state": "RUNNING",
    }


def test_the_burst_size_follows_the_rate() -> None:
    assert queue(rateLimits={"maxDispatchesPerSecond": 1, "maxBurstSize": 77}).rate_limits.max_burst_size == 10


def test_an_update_changes_the_masked_fields_and_resets_those_left_empty() -> None:
    before = queue(retryConfig={"maxAttempts": 7, "minBackoff": "2s"}, rateLimits={"maxConcurrentDispatches": 9})
    mask = "rateLimits.maxDispatchesPerSecond,retryConfig.maxAttempts,state"

    after = updated(before, mask, rateLimits={"maxDispatchesPerSecond": 3}, state="PAUSED")

    assert after.rate_limits.max_dispatches_per_second == 3
    assert after.rate_limits.max_concurrent_dispatches == 9
    assert after.retry_config.max_attempts == 100
    assert after.retry_config.min_backoff.seconds == 2
    assert after.state == before.state


def test_a_meaningful_zero_is_kept_until_it_is_cleared() -> None:
    before = queue(retryConfig={"maxDoublings": 0, "minBackoff": "0s", "maxBackoff": "0s"})
    after = updated(
        before, "rateLimits.maxDispatchesPerSecond", rateLimits={"maxDispatchesPerSecond": 3, "maxConcurrentDispatches": 0}
    )
    cleared = updated(after, "retryConfig.maxDoublings,retryConfig.maxBackoff", retryConfig={"maxDoublings": None})
    again = updated(cleared, "retryConfig.maxDoublings", retryConfig={"maxDoublings": 0})

    shown = [json_format.MessageToDict(each)["retryConfig"] for each in (before, after, cleared, again)]
    assert shown[0] == shown[1] == {"maxAttempts": 100, "minBackoff": "0s", "maxBackoff": "0s"}
    assert shown[2] == {"maxAttempts": 100, "minBackoff": "0s", "maxBackoff": "3600s", "maxDoublings": 16}
    assert shown[3] == {"maxAttempts": 100, "minBackoff": "0s", "maxBackoff": "3600s"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rateLimits": {"maxDispatchesPerSecond": -1}}, "RateLimits.maxDispatchesPerSecond cannot be negative."),
        ({"rateLimits": {"maxDispatchesPerSecond": 0}}, "RateLimits.maxDispatchesPerSecond must be greater than 0"),
        ({"rateLimits": {"maxConcurrentDispatches": 0}}, "RateLimits.maxConcurrentDispatches must be greater than 0"),
        ({"retry_config": {"max_attempts": "0"}}, "RetryConfig.maxAttempts cannot be 0"),
        ({"rateLimits": {"maxDispatchesPerSecond": 501}}, "must be less than or equal to 500."),
        ({"rateLimits": {"maxConcurrentDispatches": -1}}, "RateLimits.maxConcurrentDispatches cannot be negative."),
        ({"rateLimits": {"maxConcurrentDispatches": 5001}}, "must be less than or equal to 5000."),
        ({"retryConfig": {"maxAttempts": -2}}, "RetryConfig.maxAttempts must be greater or equal to -1."),
        ({"retryConfig": {"maxDoublings": -1}}, "RetryConfig.maxDoublings cannot be negative."),
        ({"retryConfig": {"minBackoff": "-1s"}}, "RetryConfig.minBackoff cannot be negative."),
        ({"retryConfig": {"minBackoff": "9s", "maxBackoff": "8s"}}, "must be less than or equal to RetryConfig.maxBackoff."),
        ({"stackdriverLoggingConfig": {"samplingRatio": 1}}, "no Cloud Logging"),
        ({"httpTarget": {"uriOverride": {"host": ""}}}, "host cannot be an empty string"),
        ({"httpTarget": {"headerOverrides": [{"header": {"key": "a b"}}]}}, "HttpTarget.headerOverrides: bad name 'a b'"),
        ({"httpTarget": {"headerOverrides": [{"header": {"key": "a", "value": "\r\nb: c"}}]}}, "bad value of a"),
    ],
)
def test_a_queue_beyond_the_limits_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message):
        queue(**fields)


def test_a_task_gets_the_defaults_of_the_service() -> None:
    assert json_format.MessageToDict(
        task(**request(headers={"host": "x", "X-CloudTasks-TaskName": "y", "Expect": "100-continue", "x-a": "1"}))
    ) == {
        "name": f"{QUEUE}/tasks/t",
        "httpRequest": {
            "url": "https://example.com/",
            "httpMethod": "POST",
            "headers": {"User-Agent": "Google-Cloud-Tasks", "x-a": "1"},
        },
        "scheduleTime": "2027-01-15T08:00:00.250Z",
        "createTime": "2027-01-15T08:00:00Z",
        "dispatchDeadline": "600s",
    }


def test_a_header_value_may_have_tabs_and_any_letters() -> None:
    assert task(**request(headers={"a": "b\tü"})).http_request.headers["a"] == "b\tü"


def test_a_schedule_in_the_past_means_now() -> None:
    assert task(**request(), scheduleTime="2020-01-01T00:00:00Z").schedule_time.seconds == int(NOW)


def test_invalid_characters_of_a_url_are_encoded() -> None:
    assert task(**request(url="http://x/a b/é%20?q=ü#f")).http_request.url == "http://x/a%20b/%C3%A9%20?q=%C3%BC#f"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Task.httpRequest is required."),
        (request(url=""), "HttpRequest.url is required."),
        (request(url="ftp://x/"), "must start with 'http://' or 'https://'."),
        (request(url="http://"), "no valid host"),
        (request(url="http://x:y/"), "no valid host"),
        (request(url="http://x/" + "a" * 2075), "cannot be longer than 2083"),
        (request(httpMethod="GET", body="YQ=="), "body is not allowed for HttpMethod GET"),
        (request(headers={"a b": "c"}), "bad name"),
        (request(headers={"a": "b\r\nc: d"}), "bad value"),
        (request(headers={"a": "b\u0001"}), "bad value"),
        (request(headers={"a": "b\x7f"}), "bad value"),
        (request(headers={"a": "b" * 82_000}), "less than 80KB"),
        (request(oidcToken={"audience": "a"}), "serviceAccountEmail must be"),
        (request(body="YWFh" * 349_525), "Task size too large"),
        (request() | {"dispatchDeadline": "14s"}, r"Task.dispatchDeadline must be between \[15s, 30m\]"),
        (request() | {"dispatchDeadline": "1801s"}, r"Task.dispatchDeadline must be between \[15s, 30m\]"),
        (request() | {"scheduleTime": "2027-02-15T00:00:00Z"}, "must be no more than 720h in the future"),
        ({"appEngineHttpRequest": {"relativeUri": "/"}}, "no App Engine"),
    ],
)
def test_a_task_beyond_the_limits_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message):
        task(**fields)


@pytest.mark.parametrize(
    ("path", "name", "shape"),
    [
        ("/v2/projects/a:b/locations", "projects/a:b", "projects/*/locations"),
        ("/v2/projects/a:b/locations/l/queues/q:pause", "projects/a:b/locations/l/queues/q", None),
        ("/v2/projects/p/locations/l/queues/q/tasks:buffer", "projects/p/locations/l/queues/q", None),
        ("/v2/projects/p/locations/l/queues/q/tasks/t:run", "projects/p/locations/l/queues/q/tasks/t", None),
    ],
)
def test_a_path_has_a_resource_and_a_shape(path: str, name: str, shape: str | None) -> None:
    assert shape_of(path)[0] == name
    assert shape is None or shape_of(path)[1] == shape
