"""The state of a file is read from the buckets and the queues, and from nothing else; a receipt links to it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared import ledger, manifest, pipeline, status
from shared.attempts import Attempts
from shared.cloud.protocols import Queued
from shared.errors import BadFile, NotFound, Unavailable
from shared.model import File, Place, Run
from shared.plan import Task
from shared.testing import FakeCloud
from tests.unit.plans import Script, chain, diamond, join, plan, step
from tests.unit.working import Fixed, Uploaded, Waiting, work


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cats/Käthe 1.jpg", b"meow")


@pytest.fixture
def waiting(cloud: FakeCloud) -> Waiting:
    cloud.queue = found = Waiting()  # type: ignore[assignment]
    return found


@pytest.fixture
def queue(waiting: Waiting) -> dict[str, Queued]:
    """The tasks in the queues, by the name of the queue."""
    return waiting.queued


def states(cloud: FakeCloud, file: File) -> dict[str, str]:
    """The state of each step."""
    return {step["step"]: step["state"] for step in status.of_object(file.name, cloud)["steps"]}


@pytest.mark.parametrize(
    "name", ["folder/", "gcloud/tmp/parallel_composite_uploads/see_gcloud_storage_cp_help_for_details/part"]
)
def test_an_ignored_object_is_skipped(cloud: FakeCloud, name: str) -> None:
    cloud.uploads.put(name, b"", "text/plain")
    found = status.of_object(name, cloud)

    assert found["state"] == "skipped"
    assert found["reason"]
    assert found["steps"] == []


def test_an_uploaded_file_is_accepted_with_its_plan(cloud: FakeCloud, cat: File) -> None:
    cloud.routes = Fixed(replace(chain(), ignored=("sluice-steps: pagez",)))  # type: ignore[assignment]
    first, second = chain().steps

    assert status.of_object(cat.name, cloud) == {
        "object": cat.name,
        "file_id": cat.file_id,
        "state": "accepted",
        "job_id": Run(cat).job_id,
        "run": 0,
        "generation": str(cat.generation),
        "size": 4,
        "content_type": "image/jpeg",
        "crc32c": cat.crc32c,
        "metadata": {},
        "since": "2026-01-01T00:00:00Z",
        "steps": [
            {"step": "a", "recipe_id": first.recipe.recipe_id, "queue": "q1", "after": [], "state": "waiting"},
            {"step": "b", "recipe_id": second.recipe.recipe_id, "queue": "q2", "after": ["a"], "state": "waiting"},
        ],
        "ignored": ["sluice-steps: pagez"],
        "older": "",
    }


def test_a_step_waits_is_queued_runs_and_is_done(cloud: FakeCloud, cat: File, script: Script, queue: dict[str, Queued]) -> None:
    cloud.routes = Fixed(chain())  # type: ignore[assignment]
    queue["q2"] = Queued(9, True, "2026-01-01T00:00:00Z")  # a repeat of a task: its turn has not come
    seen = [states(cloud, cat)]
    queue["q1"] = Queued(0, False, "2026-01-01T00:00:00Z")
    seen.append(states(cloud, cat))
    queue["q1"] = Queued(1, True, "2026-01-01T00:00:00Z")
    seen.append(states(cloud, cat))
    work(chain(), cloud, cat, "0-q1")
    queue["q2"] = Queued(0, False, "2026-01-01T00:00:00Z")
    seen.append(states(cloud, cat))
    work(chain(), cloud, cat)
    seen.append(states(cloud, cat))

    assert seen == [
        {"a": "waiting", "b": "waiting"},
        {"a": "queued", "b": "waiting"},
        {"a": "running", "b": "waiting"},
        {"a": "done", "b": "queued"},
        {"a": "done", "b": "done"},
    ]


def test_a_queued_step_has_its_deliveries_and_the_time_of_the_next(
    cloud: FakeCloud, cat: File, queue: dict[str, Queued]
) -> None:
    cloud.routes = Fixed(plan(step("a")))  # type: ignore[assignment]
    queue["q1"] = Queued(3, False, "2026-01-01T00:05:00Z")

    (shown,) = status.of_object(cat.name, cloud)["steps"]

    assert {key: value for key, value in shown.items() if key not in ("step", "recipe_id", "after")} == {
        "state": "queued",
        "queue": "q1",
        "queue_is_paused": False,
        "deliveries": 3,
        "next": "2026-01-01T00:05:00Z",
        "attempt": 1,
        "attempts": 3,
    }


def test_a_step_that_is_queued_again_has_the_answer_to_its_last_delivery(
    cloud: FakeCloud, cat: File, queue: dict[str, Queued]
) -> None:
    cloud.routes = Fixed(plan(step("a")))  # type: ignore[assignment]
    queue["q1"] = Queued(3, False, "2026-01-01T00:05:00Z", "PERMISSION_DENIED")

    (shown,) = status.of_object(cat.name, cloud)["steps"]

    assert shown["answer"] == "PERMISSION_DENIED"


def test_a_task_that_waits_in_a_paused_queue_says_so(cloud: FakeCloud, cat: File, waiting: Waiting) -> None:
    cloud.routes = Fixed(plan(step("a", "q1"), step("b", "q2")))  # type: ignore[assignment]
    waiting.queued |= {name: Queued(0, False, "2026-01-01T00:05:00Z") for name in ("q1", "q2")}
    waiting.paused = {"q2"}

    shown = status.of_object(cat.name, cloud)["steps"]

    assert [(one["queue"], one["queue_is_paused"], one["attempt"]) for one in shown] == [("q1", False, 0), ("q2", True, 0)]


def test_a_delivery_under_way_is_not_affected_by_a_pause(cloud: FakeCloud, cat: File, waiting: Waiting) -> None:
    cloud.routes = Fixed(plan(step("a", "q1")))  # type: ignore[assignment]
    waiting.queued["q1"], waiting.paused = Queued(1, True, "2026-01-01T00:05:00Z"), {"q1"}

    (shown,) = status.of_object(cat.name, cloud)["steps"]

    assert (shown["state"], "queue_is_paused" in shown) == ("running", False)


def test_a_failing_step_shows_its_last_error(cloud: FakeCloud, cat: File, script: Script, queue: dict[str, Queued]) -> None:
    steps = plan(step("a"), step("b"))
    cloud.routes = Fixed(steps)  # type: ignore[assignment]
    script.raises["b"] = ZeroDivisionError("division by zero")
    for delivery in (1, 2):
        with pytest.raises(ZeroDivisionError):
            pipeline.process(Task(Run(cat), steps, Place(0, "q1")), delivery, cloud)
    queue["q1"] = Queued(2, False, "2026-01-01T00:05:00Z")

    first, second = status.of_object(cat.name, cloud)["steps"]

    assert "error" not in first
    assert second["error"] | {"time": ""} == {
        "message": "ZeroDivisionError: division by zero",
        "attempt": 2,
        "delivery": 2,
        "time": "",
    }
    assert (second["attempt"], second["attempts"]) == (2, 3)


def test_an_outage_shows_as_the_error_of_its_attempt(
    cloud: FakeCloud, cat: File, script: Script, queue: dict[str, Queued]
) -> None:
    steps = plan(step("a"))
    cloud.routes = Fixed(steps)  # type: ignore[assignment]
    cloud.results.broken = {"create files"}
    with pytest.raises(Unavailable):
        pipeline.process(Task(Run(cat), steps, Place(0, "q1")), 1, cloud)
    queue["q1"] = Queued(1, False, "2026-01-01T00:05:00Z")

    (shown,) = status.of_object(cat.name, cloud)["steps"]

    assert shown["error"]["message"] == "bucket results is unavailable (planted); retry"


def test_without_an_answer_of_the_queue_the_rest_is_shown(cloud: FakeCloud, cat: File) -> None:
    cloud.routes = Fixed(plan(step("a")))  # type: ignore[assignment]
    cloud.queue.broken = True

    assert states(cloud, cat) == {"a": "waiting"}


def test_a_file_is_processing_until_its_last_task_has_a_manifest(cloud: FakeCloud, cat: File, script: Script) -> None:
    found = []
    for place in ("0-q1", "1-q2", "1-q3", "2-q1"):
        work(diamond(), cloud, cat, place)
        found.append(status.of_object(cat.name, cloud))

    assert [one["state"] for one in found] == ["processing", "processing", "processing", "succeeded"]
    assert [step["step"] for step in found[-1]["steps"]] == ["a", "b", "c", "d"]
    assert found[0]["since"] <= found[1]["since"] <= found[2]["since"] <= found[3]["since"]


def test_a_planned_run_is_processing_before_its_first_manifest(cloud: FakeCloud, cat: File) -> None:
    pipeline.enlist(Run(cat), join(), cloud)
    cloud.routes = Fixed(plan(step("of-today")))  # type: ignore[assignment]

    found = status.of_object(cat.name, cloud)

    assert (found["state"], found["since"]) == ("processing", "")
    assert {step["step"]: step["state"] for step in found["steps"]} == {"a": "queued", "b": "queued", "c": "waiting"}
    assert status.of_id(Run(cat).job_id, cloud)["state"] == "processing"


def test_a_run_keeps_its_plan_whatever_todays_is(cloud: FakeCloud, cat: File, script: Script) -> None:
    work(replace(chain(), ignored=("sluice-steps: pagez",)), cloud, cat, "0-q1")
    cloud.routes = Fixed(plan(step("of-today")))  # type: ignore[assignment]

    found = status.of_object(cat.name, cloud)

    assert [step["step"] for step in found["steps"]] == ["a", "b"]
    assert found["ignored"] == ["sluice-steps: pagez"]


def test_a_failed_step_says_why(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.raises["b"] = BadFile("cut short", "corrupt")
    steps = plan(step("a"), step("b"), step("c", after=("b",)))
    work(steps, cloud, cat)

    found = status.of_object(cat.name, cloud)

    failed = found["steps"][1]
    assert found["state"] == "partial"
    assert list(failed.pop("times")) == ["begun", "fetched", "worked"]
    assert failed.pop("cost")["bytes_in"] == len("meow")
    assert failed == {
        "step": "b",
        "recipe_id": steps.by_name["b"].recipe.recipe_id,
        "queue": "q1",
        "after": [],
        "state": "done",
        "verdict": "failed",
        "reason": "corrupt",
        "message": "cut short",
        "time": found["since"],
        "attempt": 1,
        "facts": {},
        "outputs": [],
    }
    assert (found["steps"][2]["reason"], found["steps"][2]["message"]) == ("after_failed", "it comes after b (failed)")


def test_outputs_come_with_addresses_and_steps_with_facts(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.facts["a"], script.outputs["a"] = {"width_px": 640}, ["1 #.txt"]
    steps = plan(step("a"))
    work(steps, cloud, cat)

    (shown,) = status.of_object(cat.name, cloud)["steps"]

    (output,) = shown["outputs"]
    assert output["object"] == ledger.output_name(Run(cat), steps.steps[0].recipe, "1 #.txt")
    assert output["url"] == "https://status.test/objects/cats/K%C3%A4the%201.jpg/a/1%20%23.txt"
    assert shown["facts"] == {"width_px": 640}


def test_a_manifest_with_fewer_fields_can_be_shown(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"))
    work(steps, cloud, cat)
    name = ledger.job_name(Run(cat))
    body = json.loads(cloud.results.read(name) or b"")
    body["steps"] = [{key: one[key] for key in ("step", "recipe_id", "verdict")} for one in body["steps"]]
    cloud.results.put(name, json.dumps(body).encode())

    (shown,) = status.of_object(cat.name, cloud)["steps"]

    assert (shown["state"], shown["verdict"], shown["outputs"]) == ("done", "succeeded", [])


@pytest.mark.parametrize(("verdict", "reason"), [("skipped", "no_route"), ("failed", "too_large")])
def test_a_file_without_tasks_has_its_verdict_and_reason(cloud: FakeCloud, cat: File, verdict: Any, reason: str) -> None:
    refused = manifest.of_no_task(Run(cat), verdict, reason, "words", "2026-01-15T10:00:00.000Z")
    ledger.commit(cloud.results, ledger.job_name(Run(cat)), refused)
    pipeline.finish(refused, cloud)

    found = status.of_object(cat.name, cloud)

    assert (found["state"], found["reason"], found["message"], found["steps"]) == (verdict, reason, "words", [])
    assert found["since"] == "2026-01-15T10:00:00.000Z"


def test_a_verdict_is_shown_before_it_is_told(cloud: FakeCloud, cat: File, script: Script) -> None:
    cloud.completions.broken = True
    with pytest.raises(Unavailable):
        work(plan(step("a")), cloud, cat)

    assert status.of_object(cat.name, cloud)["state"] == "succeeded"


def test_a_deleted_file_keeps_its_verdicts(cloud: FakeCloud, cat: File, script: Script) -> None:
    cloud.uploads.versions.clear()
    work(chain(), cloud, cat)

    assert status.of_object(cat.name, cloud)["state"] == "gone"


@pytest.mark.parametrize("name", ["cats", "cats/", "cats/Käthe", "cats/ka\u0308the 1.jpg", "", "../cats/Käthe 1.jpg"])
def test_a_name_that_was_never_uploaded_is_not_found(cloud: FakeCloud, cat: File, name: str) -> None:
    with pytest.raises(NotFound, match="no object"):
        status.of_object(name, cloud)


@pytest.mark.parametrize("bucket", ["uploads", "results"])
def test_an_outage_is_not_reported_as_not_found(cloud: FakeCloud, cat: File, bucket: str) -> None:
    getattr(cloud, bucket).broken = {"find", "names", "read"}

    with pytest.raises(Unavailable):
        status.of_object(cat.name, cloud)


def test_the_notes_of_another_task_are_not_shown(cloud: FakeCloud, cat: File, queue: dict[str, Queued]) -> None:
    steps, other = plan(step("a")), plan(step("a", flavour="x"))
    cloud.routes = Fixed(steps)  # type: ignore[assignment]
    Attempts(Task(Run(cat), other, Place(0, "q1")), 2, cloud.results).error(other.steps[0], 1, "division by zero")
    queue["q1"] = Queued(2, False, "2026-01-01T00:05:00Z")

    assert "error" not in status.of_object(cat.name, cloud)["steps"][0]


def test_a_receipt_has_the_ids_and_the_status_url(cloud: FakeCloud) -> None:
    file = File("uploads", "abc/Käthe #1?.jpg", 7, 1234, "image/jpeg", "AAAAAA==")

    assert json.loads(json.dumps(status.receipt(file, cloud))) == {
        "object": file.name,
        "file_id": file.file_id,
        "job_id": Run(file).job_id,
        "generation": "7",
        "size": 1234,
        "content_type": "image/jpeg",
        "crc32c": "AAAAAA==",
        "status_url": "https://status.test/objects/abc/K%C3%A4the%20%231%3F.jpg",
    }
