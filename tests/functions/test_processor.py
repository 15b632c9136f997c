"""The processor over HTTP, as Cloud Tasks calls it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared import pipeline, routes
from shared.errors import UnsupportedType
from shared.model import File, canonical
from shared.plan import Task
from shared.processors.registry import registered
from shared.testing import FakeCloud
from tests.conftest import PIPELINE
from tests.functions.calls import Load, push, refused
from tests.unit.pipelines import POOLS
from tests.unit.releases import extended


@pytest.fixture
def task_body(cloud: FakeCloud, uploaded: Callable[..., File], photo: bytes) -> bytes:
    """The body of the task that makes thumbnails."""
    pipeline.dispatch(push(uploaded("cat.jpg", photo))["message"], cloud)
    return canonical(next(task for task in cloud.queue.added.values() if task.place.queue == "images").to_json())


def delivery(number: int) -> dict[str, str]:
    return {"x-cloudtasks-taskretrycount": str(number - 1), "content-type": "application/json"}


def verdicts(cloud: FakeCloud) -> list[str]:
    """The verdict of each notice."""
    return [notice.attributes["verdict"] for notice in cloud.completions.notices]


def test_a_delivered_task_is_brought_to_its_verdict(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    answer = client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1))

    assert (answer.status_code, answer.json) == (200, {"task": Task.from_json(json.loads(task_body)).name})
    assert verdicts(cloud) == ["succeeded"]
    assert len(list(cloud.results.names("files/"))) == 3


@pytest.mark.failure("T56")
def test_only_cloud_tasks_may_call_the_processor(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    processor = client("processor")

    refused(processor.post("/", data=task_body, headers=delivery(1)), 401, "unauthorized")
    refused(processor.post("/", data=task_body, headers=delivery(1) | bearer("push")), 401, "unauthorized")
    assert list(cloud.results.names("files/")) == []


def test_a_token_for_another_pool_is_refused(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    cloud.routes = routes.parse(POOLS + PIPELINE.read_text())
    urls = {"default": "https://processor.test", "slow": "https://slow.test"}
    of_default = bearer("tasks")
    cloud.settings = replace(cloud.settings, pool="slow", processor_urls=urls)
    processor = client("processor")

    refused(processor.post("/", data=task_body, headers=of_default | delivery(1)), 401, "unauthorized")
    assert processor.post("/", data=task_body, headers=bearer("tasks") | delivery(1)).status_code == 200


@pytest.mark.failure("T54")
def test_an_outage_makes_the_queue_deliver_again(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    cloud.uploads.broken = {"download"}

    refused(client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1)), 503, "unavailable")


def test_the_delivery_after_the_last_attempt_is_dead(
    client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = client("processor")
    monkeypatch.setitem(registered, "image.renditions", replace(registered["image.renditions"], work=_divides_by_zero))
    for number in range(1, 6):
        refused(processor.post("/", data=task_body, headers=bearer("tasks") | delivery(number)), 500, "internal")
    answer = processor.post("/", data=task_body, headers=bearer("tasks") | delivery(6))

    assert answer.status_code == 200
    assert verdicts(cloud) == ["dead"]


def _divides_by_zero(*_: object) -> Any:
    raise ZeroDivisionError


def test_no_error_of_a_processor_ends_its_task_without_a_verdict(
    client: Load, bearer: Any, task_body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registered, "image.renditions", replace(registered["image.renditions"], work=_refuses))

    answer = client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1))

    refused(answer, 500, "internal")


def _refuses(*_: object) -> Any:
    raise UnsupportedType("not a picture")


def test_an_outage_is_no_attempt(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    processor = client("processor")
    cloud.uploads.broken = {"download"}
    for number in range(1, 10):
        refused(processor.post("/", data=task_body, headers=bearer("tasks") | delivery(number)), 503, "unavailable")
    cloud.uploads.broken = set()
    answer = processor.post("/", data=task_body, headers=bearer("tasks") | delivery(10))

    assert answer.status_code == 200
    assert verdicts(cloud) == ["succeeded"]


def test_a_task_of_a_newer_release_is_not_lost(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    answer = client("processor").post("/", json=extended(json.loads(task_body)), headers=bearer("tasks") | delivery(1))

    assert answer.status_code == 200
    assert verdicts(cloud) == ["succeeded"]


@pytest.mark.parametrize("count", [None, "x", "-1", "9" * 5000])
def test_a_delivery_without_its_number_is_refused(
    client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes, count: str | None
) -> None:
    headers = bearer("tasks") | ({} if count is None else {"x-cloudtasks-taskretrycount": count})
    answer = client("processor").post("/", data=task_body, headers=headers)

    assert answer.json is not None
    assert answer.json["gave_up"] == "forbidden"
    assert list(cloud.results.names("files/")) == []


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


@pytest.mark.parametrize(
    "change", [{"stage": 9}, {"queue": "other"}, {"plan": {"steps": []}}, {"plan": {"steps": [[]]}}, {"run": "x"}]
)
def test_a_task_that_its_plan_has_not_is_not_delivered_for_ever(
    client: Load, bearer: Any, task_body: bytes, change: dict[str, Any]
) -> None:
    answer = client("processor").post("/", json=json.loads(task_body) | change, headers=bearer("tasks") | delivery(1))

    assert answer.json is not None
    assert (answer.status_code, answer.json["gave_up"]) == (200, "bad_json")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"not json", b'{"file": {}}', b'{"file": 1, "plan": 2}'])
def test_a_malformed_task_is_not_delivered_for_ever(client: Load, bearer: Any, body: bytes) -> None:
    answer = client("processor").post("/", data=body, headers=bearer("tasks") | delivery(1))

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["gave_up"] == "bad_json"


def test_a_task_whose_body_breaks_off_is_delivered_again(client: Load, bearer: Any, task_body: bytes) -> None:
    headers, announced = bearer("tasks") | delivery(1), {"CONTENT_LENGTH": str(len(task_body))}
    answer = client("processor").post("/", data=task_body[:-5], headers=headers, environ_overrides=announced)

    refused(answer, 400, "body_cut_short")


def test_an_unforeseen_error_is_logged_and_not_shown(
    client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes, capsys: Any
) -> None:
    cloud.uploads.download = None  # type: ignore[method-assign, assignment]
    answer = client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1))

    refused(answer, 500, "internal")
    assert "NoneType" not in answer.text
    assert "NoneType" in capsys.readouterr().out
