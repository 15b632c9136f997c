"""Dispatch: the tasks that are queued, the files that get a verdict at once, and repeats."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared import pipeline
from shared.errors import Unavailable
from shared.model import File, Run
from shared.plan import Plan
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Uploaded, ledger, manifests, message, only_task
from tests.unit.pipeline.conftest import Enlist
from tests.unit.plans import Script, join, plan, step


@pytest.mark.failure("T01")
def test_a_repeated_event_queues_each_task_once(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    file = uploaded("cat.png", picture)

    pipeline.dispatch(message(file), cloud)
    pipeline.dispatch(message(file), cloud)

    assert [task.file for task in cloud.queue.added.values()] == [file]
    assert only_task(cloud).plan == cloud.routes.plan(file)


@pytest.mark.failure("T03")
def test_two_generations_are_two_jobs_in_any_order(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    older, newer = uploaded("cat.png", picture), uploaded("cat.png", picture + b" ")

    pipeline.dispatch(message(newer), cloud)
    pipeline.dispatch(message(older), cloud)

    assert {task.file.generation for task in cloud.queue.added.values()} == {older.generation, newer.generation}


def test_the_plan_with_one_first_task_writes_no_object(cloud: FakeCloud, enlist: Enlist) -> None:
    tasks = enlist(plan(step("a"), step("b", "q2", after=("a",))))

    assert [str(task.place) for task in tasks] == ["0-q1"]
    assert cloud.results.versions == {}


def test_the_plan_with_several_first_tasks_is_written_before_they_are_queued(
    cloud: FakeCloud, cat: File, enlist: Enlist
) -> None:
    cloud.queue.broken = True
    with pytest.raises(Unavailable):
        pipeline.enlist(Run(cat), join(), cloud)
    cloud.queue.broken = False
    body = ledger(cloud)["job.json"]

    assert (body["kind"], body["plan"]["id"], body["job"]["job_id"]) == ("plan", join().plan8, Run(cat).job_id)
    assert [str(task.place) for task in enlist(join())] == ["0-q1", "0-q2"]
    assert ledger(cloud) == {"job.json": body}


def test_a_plan_that_cannot_be_written_queues_nothing(cloud: FakeCloud, cat: File) -> None:
    cloud.results.broken = {"create"}

    with pytest.raises(Unavailable):
        pipeline.enlist(Run(cat), join(), cloud)
    assert cloud.queue.added == {}


def test_the_first_of_two_plans_stands(cloud: FakeCloud, cat: File, enlist: Enlist) -> None:
    first, second = join(), plan(step("x", "q1"), step("y", "q2"))
    enlist(first)
    enlist(second)

    assert {task.plan.plan8 for task in cloud.queue.added.values()} == {first.plan8}


def test_a_file_that_was_refused_stays_refused_under_another_plan(cloud: FakeCloud, cat: File, enlist: Enlist) -> None:
    assert enlist(Plan()) == []
    assert enlist(join()) == []
    assert [one["reason"] for one in manifests(cloud)] == ["no_route"]


def test_a_file_with_a_manifest_gets_no_other_verdict(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (task,) = enlist(plan(step("a")))
    pipeline.process(task, 1, cloud)
    enlist(Plan())

    (body,) = manifests(cloud)
    assert [one["verdict"] for one in body["steps"]] == ["succeeded"]
    assert cloud.completions.notices[:2] == cloud.completions.notices[2:]


def test_a_later_run_queues_its_first_tasks_alone(cloud: FakeCloud, cat: File) -> None:
    pipeline.enlist(Run(cat, 2), join(), cloud)

    assert [task.run.number for task in cloud.queue.added.values()] == [2, 2]
    assert cloud.results.versions == {}


@pytest.mark.failure("T12")
def test_a_sweep_queues_under_names_of_its_own(cloud: FakeCloud, cat: File) -> None:
    for sweep in (0, 1, 1):
        pipeline.enlist(Run(cat), join(), cloud, sweep)

    assert [task.sweep for task in cloud.queue.added.values()] == [0, 0, 1, 1]


def refused(cloud: FakeCloud) -> tuple[str, str]:
    """Verdict and reason of the only manifest, which stands for a file without tasks and has one job notice."""
    (body,) = manifests(cloud)
    assert list(ledger(cloud)) == ["job.json"]
    assert (body["kind"], body["plan"]["steps"], body["steps"]) == ("manifest", [], [])
    assert cloud.queue.added == {}
    (notice,) = cloud.completions.notices
    told = json.loads(notice.data)
    assert notice.attributes["ce-type"] == "sluice.job.finished.v1"
    assert notice.attributes["verdict"] == told["verdict"] == body["verdict"]
    assert (told["reason"], told["message"], told["steps"]) == (body["reason"], body["message"], [])
    return body["verdict"], body["reason"]


def test_a_file_without_a_route_is_skipped_with_a_job_notice(cloud: FakeCloud, uploaded: Uploaded) -> None:
    pipeline.dispatch(message(uploaded("notes.bin", b"???", "application/octet-stream")), cloud)

    assert refused(cloud) == ("skipped", "no_route")
    assert manifests(cloud)[0]["message"].startswith("no route takes application/octet-stream")


@pytest.mark.failure("T18")
def test_an_empty_file_is_skipped_with_its_reason(cloud: FakeCloud, uploaded: Uploaded) -> None:
    pipeline.dispatch(message(uploaded("empty.png", b"")), cloud)

    assert refused(cloud) == ("skipped", "empty")


@pytest.mark.failure("T50")
def test_a_name_without_room_for_outputs_fails_at_once(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("n" * 1000 + ".png", picture)), cloud)

    assert refused(cloud) == ("failed", "name_too_long")


@pytest.mark.failure("T47")
def test_a_file_over_the_limit_fails_before_it_is_downloaded(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(replace(uploaded("cat.png", picture), size=6_000_000)), cloud)

    assert refused(cloud) == ("failed", "too_large")
    assert manifests(cloud)[0]["message"] == "the file has 6000000 bytes; the limit is 5000000"


def test_a_repeated_refusal_publishes_the_same_bytes_again(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("empty.png", b"")
    for _ in range(2):
        pipeline.dispatch(message(file), cloud)

    first, again = cloud.completions.notices
    assert first == again


def test_a_refusal_whose_notice_was_lost_is_told_by_the_next_event(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("empty.png", b"")
    cloud.completions.broken = True
    with pytest.raises(Unavailable):
        pipeline.dispatch(message(file), cloud)
    cloud.completions.broken = False

    pipeline.dispatch(message(file), cloud)

    assert refused(cloud) == ("skipped", "empty")


def test_an_ignored_object_leaves_no_trace(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("folder/", b"")), cloud)
    pipeline.dispatch(message(uploaded("cat.png", picture), eventType="OBJECT_DELETE"), cloud)
    pipeline.dispatch(message(replace(uploaded("cat.png", picture), bucket="results")), cloud)

    assert (cloud.queue.added, manifests(cloud), cloud.completions.notices) == ({}, [], [])


def test_an_unreadable_message_goes_to_the_dead_letters(cloud: FakeCloud) -> None:
    pipeline.dispatch({"attributes": {"hello": "world"}, "data": ""}, cloud)

    (letter,) = cloud.dead_letters.notices
    assert json.loads(letter.data)["attributes"] == {"hello": "world"}
    assert "eventType" in letter.attributes["reason"] or "bucketId" in letter.attributes["reason"]


def test_a_reason_fits_into_an_attribute(cloud: FakeCloud) -> None:
    pipeline.dead_letter(b"x", "é" * 1000, cloud)

    assert cloud.dead_letters.notices[0].attributes["reason"] == "é" * 512


def test_a_message_that_cannot_be_dead_lettered_is_delivered_again(cloud: FakeCloud) -> None:
    cloud.dead_letters.broken = True

    with pytest.raises(Unavailable):
        pipeline.dispatch({"attributes": {}, "data": ""}, cloud)


def test_an_event_is_delivered_again_while_the_queue_is_down(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    cloud.queue.broken = True

    with pytest.raises(Unavailable):
        pipeline.dispatch(message(uploaded("cat.png", picture)), cloud)


def test_the_notification_carries_the_files_metadata_into_the_task(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    notification: dict[str, Any] = message(replace(uploaded("cat.png", picture), metadata={"tenant": "zoo"}))
    pipeline.dispatch(notification, cloud)

    assert only_task(cloud).file.metadata == {"tenant": "zoo"}
