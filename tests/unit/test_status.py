"""The state of a file is read from the buckets and from nothing else; a receipt links to it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared import ledger, status
from shared.errors import NotFound, Unavailable
from shared.model import File, Manifest, Output, Task, Verdict
from shared.testing import FakeCloud

Uploaded = Callable[..., File]


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cats/Käthe 1.jpg", b"meow")


def conclude(cloud: FakeCloud, task: Task, verdict: Verdict = "succeeded", **found: Any) -> Manifest:
    return ledger.commit(cloud.results, ledger.manifest(task.file, task, verdict, attempt=1, **found))


@pytest.mark.parametrize(
    "name", ["folder/", "gcloud/tmp/parallel_composite_uploads/see_gcloud_storage_cp_help_for_details/part"]
)
def test_an_ignored_object_is_skipped(cloud: FakeCloud, name: str) -> None:
    cloud.uploads.put(name, b"", "text/plain")
    found = status.of_object(name, cloud)

    assert found["state"] == "skipped"
    assert found["reason"]


def test_an_uploaded_file_is_accepted(cloud: FakeCloud, cat: File) -> None:
    assert status.of_object(cat.name, cloud) == {
        "object": cat.name,
        "file_id": cat.file_id,
        "state": "accepted",
        "job_id": cat.job_id,
        "generation": str(cat.generation),
        "size": 4,
        "content_type": "image/jpeg",
        "crc32c": cat.crc32c,
        "since": "2026-01-01T00:00:00Z",
        "steps": [],
        "older": [],
    }


def test_a_file_is_processing_until_its_last_step_has_a_verdict(cloud: FakeCloud, cat: File) -> None:
    first, last = cloud.routes.plan(cat)

    conclude(cloud, first)
    half = status.of_object(cat.name, cloud)
    conclude(cloud, last)
    whole = status.of_object(cat.name, cloud)

    assert (half["state"], half["waiting"]) == ("processing", [last.recipe.recipe_id])
    assert (whole["state"], whole["waiting"]) == ("succeeded", [])
    assert [step["step"] for step in whole["steps"]] == ["digest", "thumbnails"]


def test_a_failed_step_says_why(cloud: FakeCloud, cat: File) -> None:
    first, last = cloud.routes.plan(cat)
    conclude(cloud, first)
    conclude(cloud, last, "failed", reason="corrupt", message="cut short")

    found = status.of_object(cat.name, cloud)

    assert found["state"] == "partial"
    assert found["steps"][1] | {"time": ""} == {
        "step": "thumbnails",
        "task_id": last.task_id,
        "verdict": "failed",
        "reason": "corrupt",
        "message": "cut short",
        "time": "",
        "attempt": 1,
        "outputs": [],
    }


def test_outputs_come_with_links(cloud: FakeCloud, cat: File) -> None:
    task = cloud.routes.plan(cat)[0]
    name = ledger.output_name(task, "digest.json")
    conclude(cloud, task, outputs=(Output("digest.json", name, "application/json", 9, "AAAAAA==", {"size": 4}),))

    (output,) = status.of_object(cat.name, cloud)["steps"][0]["outputs"]

    assert output["object"] == name
    assert output["facts"] == {"size": 4}
    assert output["download_url"] == f"https://signed.test/results/{name}?for=900"


def test_a_file_without_a_route_is_skipped(cloud: FakeCloud, cat: File) -> None:
    ledger.commit(cloud.results, ledger.manifest(cat, None, "skipped", "no_route", "no route takes this file"))

    found = status.of_object(cat.name, cloud)

    assert found["state"] == "skipped"
    assert found["steps"][0]["reason"] == "no_route"


def test_a_newer_upload_stands_before_the_older_verdicts(cloud: FakeCloud, cat: File, uploaded: Uploaded) -> None:
    for task in cloud.routes.plan(cat):
        conclude(cloud, task)
    newer = uploaded(cat.name, b"meow meow")

    found = status.of_object(cat.name, cloud)

    assert (found["state"], found["generation"]) == ("accepted", str(newer.generation))
    assert [(job["state"], job["generation"]) for job in found["older"]] == [("succeeded", str(cat.generation))]


def test_generations_are_listed_as_numbers_not_as_text(cloud: FakeCloud, cat: File) -> None:
    for generation in (9, 10, 100):
        for task in cloud.routes.plan(replace(cat, generation=generation)):
            conclude(cloud, task)
    cloud.uploads.versions.clear()

    found = status.of_object(cat.name, cloud)

    assert [found["generation"], *(job["generation"] for job in found["older"])] == ["100", "10", "9"]
    assert {len(job["steps"]) for job in found["older"]} == {2}


def test_a_deleted_file_keeps_its_verdicts(cloud: FakeCloud, cat: File) -> None:
    for task in cloud.routes.plan(cat):
        conclude(cloud, task, "gone", reason="gone")
    cloud.uploads.versions.clear()

    assert status.of_object(cat.name, cloud)["state"] == "gone"


@pytest.mark.parametrize("name", ["cats", "cats/", "cats/Käthe", "cats/ka\u0308the 1.jpg", "", "../cats/Käthe 1.jpg"])
def test_a_name_that_was_never_uploaded_is_not_found(cloud: FakeCloud, cat: File, name: str) -> None:
    with pytest.raises(NotFound, match="no object"):
        status.of_object(name, cloud)


def test_ids_are_answered_from_the_first_verdict_on(cloud: FakeCloud, cat: File) -> None:
    with pytest.raises(NotFound, match="ask by name: /objects/<name>") as early:
        status.of_id(cat.file_id, cloud)
    conclude(cloud, cloud.routes.plan(cat)[0])

    assert early.value.code == "no_verdict_yet"
    assert status.of_id(cat.file_id, cloud) == status.of_object(cat.name, cloud)
    assert status.of_id(cat.job_id, cloud)["object"] == cat.name


def test_a_job_id_is_that_generation_alone(cloud: FakeCloud, cat: File) -> None:
    newer = replace(cat, generation=cat.generation + 1)
    for file in (cat, newer):
        conclude(cloud, cloud.routes.plan(file)[0])

    found = status.of_id(cat.job_id, cloud)

    assert found["generation"] == str(cat.generation)
    assert found["older"] == []


@pytest.mark.parametrize(
    "identity",
    ["", "cat.jpg", "a" * 25, "a" * 27, "A" * 26, "1" * 26, "a" * 26 + "-", "a" * 26 + "-x", "a" * 26 + "/", "a" * 26 + "-7\n"],
)
def test_a_malformed_id_is_refused_with_the_right_form(cloud: FakeCloud, identity: str) -> None:
    with pytest.raises(NotFound, match="is neither a file id") as refused:
        status.of_id(identity, cloud)

    assert refused.value.code == "not_found"


@pytest.mark.parametrize("bucket", ["uploads", "results"])
def test_an_outage_is_not_reported_as_not_found(cloud: FakeCloud, cat: File, bucket: str) -> None:
    getattr(cloud, bucket).broken = {"find", "names", "read"}

    with pytest.raises(Unavailable):
        status.of_object(cat.name, cloud)


def test_a_receipt_has_the_ids_and_the_status_url(cloud: FakeCloud) -> None:
    file = File("uploads", "abc/Käthe #1?.jpg", 7, 1234, "image/jpeg", "AAAAAA==")

    assert json.loads(json.dumps(status.receipt(file, cloud))) == {
        "object": file.name,
        "file_id": file.file_id,
        "job_id": file.job_id,
        "generation": "7",
        "size": 1234,
        "content_type": "image/jpeg",
        "crc32c": "AAAAAA==",
        "status_url": "https://status.test/objects/abc/K%C3%A4the%20%231%3F.jpg",
    }
