"""The processor over HTTP, as Cloud Tasks calls it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared import pipeline
from shared.model import File, canonical
from shared.testing import FakeCloud
from tests.functions.calls import Load, push, refused


@pytest.fixture
def task_body(cloud: FakeCloud, uploaded: Callable[..., File], photo: bytes) -> bytes:
    pipeline.dispatch(push(uploaded("cat.jpg", photo))["message"], cloud)
    return canonical(next(task for task in cloud.queue.tasks.values() if task.recipe.step == "thumbnails").to_json())


def delivery(number: int) -> dict[str, str]:
    return {"x-cloudtasks-taskretrycount": str(number - 1), "content-type": "application/json"}


def test_a_delivered_task_is_brought_to_its_verdict(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    answer = client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1))

    assert answer.json is not None
    assert (answer.status_code, answer.json["verdict"]) == (200, "succeeded")
    assert len(list(cloud.results.names("files/"))) == 3


def test_only_cloud_tasks_may_call_the_processor(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    processor = client("processor")

    refused(processor.post("/", data=task_body, headers=delivery(1)), 401, "unauthorized")
    refused(processor.post("/", data=task_body, headers=delivery(1) | bearer("push")), 401, "unauthorized")
    assert cloud.results.versions == {}


def test_an_outage_makes_the_queue_deliver_again(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    cloud.uploads.broken = {"download"}

    refused(client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1)), 503, "unavailable")


def test_the_delivery_after_the_last_attempt_is_dead(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    processor = client("processor")
    cloud.uploads.broken = {"download"}
    for number in range(1, 6):
        refused(processor.post("/", data=task_body, headers=bearer("tasks") | delivery(number)), 503, "unavailable")
    answer = processor.post("/", data=task_body, headers=bearer("tasks") | delivery(6))

    assert answer.json is not None
    assert answer.json["verdict"] == "dead"


def test_a_task_of_a_newer_release_is_not_lost(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    task = json.loads(task_body)
    task |= {"priority": 1, "file": task["file"] | {"colour": "blue"}}
    answer = client("processor").post("/", json=task, headers=bearer("tasks") | delivery(1))

    assert answer.json is not None
    assert answer.json["verdict"] == "succeeded"


@pytest.mark.parametrize("count", [None, "x", "-1"])
def test_a_delivery_without_its_number_is_refused(
    client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes, count: str | None
) -> None:
    headers = bearer("tasks") | ({} if count is None else {"x-cloudtasks-taskretrycount": count})
    answer = client("processor").post("/", data=task_body, headers=headers)

    assert answer.json is not None
    assert answer.json["gave_up"] == "forbidden"
    assert cloud.results.versions == {}


@pytest.mark.parametrize("change", [{"generation": "x"}, {"name": None, "generation": []}, {"size": {}}])
def test_a_malformed_file_is_not_delivered_for_ever(
    client: Load, bearer: Any, task_body: bytes, change: dict[str, Any]
) -> None:
    task = json.loads(task_body)
    task["file"] |= change
    answer = client("processor").post("/", json=task, headers=bearer("tasks") | delivery(1))

    assert answer.json is not None
    assert (answer.status_code, answer.json["gave_up"]) == (200, "bad_json")


def test_the_scheme_of_a_token_is_bearer_in_any_case(client: Load, bearer: Any, task_body: bytes) -> None:
    token = bearer("tasks")["authorization"].removeprefix("Bearer ")

    def answer(scheme: str) -> TestResponse:
        headers = {"authorization": f"{scheme} {token}"} | delivery(1)
        return client("processor").post("/", data=task_body, headers=headers)

    refused(answer("Basic"), 401, "unauthorized")
    assert answer("bearer").status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"not json", b'{"file": {}}', b'{"file": 1, "recipe": 2}'])
def test_a_malformed_task_is_not_delivered_for_ever(client: Load, bearer: Any, body: bytes) -> None:
    answer = client("processor").post("/", data=body, headers=bearer("tasks") | delivery(1))

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["gave_up"] == "bad_json"


def test_an_unforeseen_error_is_logged_and_not_shown(
    client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes, capsys: Any
) -> None:
    cloud.uploads.download = None  # type: ignore[method-assign, assignment]
    answer = client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1))

    refused(answer, 500, "internal")
    assert "NoneType" not in answer.text
    assert "NoneType" in capsys.readouterr().out
