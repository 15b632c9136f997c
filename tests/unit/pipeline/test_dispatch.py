"""Dispatch: the tasks that are queued, the files that get a verdict at once, and repeats."""

import json
from dataclasses import replace

import pytest

from shared import pipeline
from shared.errors import Unavailable
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Uploaded, manifests, message


def test_a_repeated_event_queues_each_task_once(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    file = uploaded("cat.png", picture)

    pipeline.dispatch(message(file), cloud)
    pipeline.dispatch(message(file), cloud)

    assert [task.file for task in cloud.queue.tasks.values()] == [file]


def test_two_generations_are_two_jobs_in_any_order(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    older, newer = uploaded("cat.png", picture), uploaded("cat.png", picture + b" ")

    pipeline.dispatch(message(newer), cloud)
    pipeline.dispatch(message(older), cloud)

    assert {task.file.generation for task in cloud.queue.tasks.values()} == {older.generation, newer.generation}


def test_a_file_without_a_route_is_skipped_with_a_notice(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("notes.bin", b"???", "application/octet-stream")

    pipeline.dispatch(message(file), cloud)
    pipeline.dispatch(message(file), cloud)

    (manifest,) = manifests(cloud)
    assert (manifest["verdict"], manifest["reason"]) == ("skipped", "no_route")
    assert manifest["message"] == "no route takes application/octet-stream; accepted: image/*"
    assert cloud.completions.ids() == [file.job_id, file.job_id]
    assert cloud.completions.notices[0] == cloud.completions.notices[1]


def test_an_empty_file_is_skipped_with_its_reason(cloud: FakeCloud, uploaded: Uploaded) -> None:
    pipeline.dispatch(message(uploaded("empty.png", b"")), cloud)

    assert [manifest["reason"] for manifest in manifests(cloud)] == ["empty"]
    assert cloud.queue.tasks == {}


def test_an_ignored_object_leaves_no_trace(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("folder/", b"")), cloud)
    pipeline.dispatch(message(uploaded("cat.png", picture), eventType="OBJECT_DELETE"), cloud)
    pipeline.dispatch(message(replace(uploaded("cat.png", picture), bucket="results")), cloud)

    assert (cloud.queue.tasks, manifests(cloud), cloud.completions.notices) == ({}, [], [])


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


def test_a_name_without_room_for_outputs_fails_at_once(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("n" * 1000 + ".png", picture)), cloud)

    assert [(manifest["verdict"], manifest["reason"]) for manifest in manifests(cloud)] == [("failed", "name_too_long")]
    assert cloud.queue.tasks == {}
    assert len(cloud.completions.notices) == 2


def test_a_file_over_the_limit_fails_before_it_is_downloaded(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(replace(uploaded("cat.png", picture), size=6_000_000)), cloud)

    assert [manifest["reason"] for manifest in manifests(cloud)] == ["too_large"]
