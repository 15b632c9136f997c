"""Notifications of Cloud Storage are read, notices are written."""

import base64
import json
from dataclasses import replace
from typing import Any

import google_crc32c
import pytest

from shared import events, manifest
from shared.events import Ignored, MalformedEvent
from shared.manifest import Job, Manifest
from shared.model import File, Result, Run, Verdict
from tests.conftest import DATA
from tests.unit.plans import plan, step, task

CAT = File("uploads", "cats/Käthe.jpg", 1768471200123456, 1234, "image/jpeg", "AAAAAA==")
PLAN = plan(step("digest", "files"), step("thumbnails", "images"))


def ended(name: str, verdict: Verdict, reason: str, time: str, file: File = CAT) -> Manifest:
    """The manifest of the task of one step."""
    recipe_id = PLAN.by_name[name].recipe.recipe_id
    result = Result(name, recipe_id, verdict, reason, attempt=1, facts={"size": 9}, times={"begun": time}, cost={"bytes_in": 9})
    return manifest.of_task(task(PLAN, PLAN.place_of[name], file=file), [result], time)


DONE = ended("thumbnails", "succeeded", "", "2026-01-15T10:00:01.000Z")
FAILED = ended("digest", "failed", "corrupt", "2026-01-15T10:00:02.000Z")
JOB_ID = Run(CAT).job_id


@pytest.fixture
def message() -> dict[str, Any]:
    """A notification as Pub/Sub pushed it."""
    message: dict[str, Any] = json.loads((DATA / "notification.json").read_text())["message"]
    return message


def with_payload(message: dict[str, Any], **changed: Any) -> dict[str, Any]:
    payload = json.loads(base64.b64decode(message["data"])) | changed
    return message | {"data": base64.b64encode(json.dumps(payload).encode()).decode()}


def with_attributes(message: dict[str, Any], **changed: Any) -> dict[str, Any]:
    attributes = message["attributes"] | changed
    return message | {"attributes": {name: value for name, value in attributes.items() if value is not None}}


def test_a_real_notification_gives_its_file(message: dict[str, Any], photo: bytes) -> None:
    file = events.read(message, "uploads")

    checksum = base64.b64encode(google_crc32c.Checksum(photo).digest()).decode()
    assert file == File("uploads", "holiday/photo.jpg", 1768471200123456, len(photo), "image/jpeg", checksum)


def test_an_overwrite_is_an_upload(message: dict[str, Any]) -> None:
    overwrite = with_attributes(message, overwroteGeneration="1768471100000000")

    assert events.read(overwrite, "uploads") == events.read(message, "uploads")


def test_a_file_without_a_content_type_is_a_stream_of_bytes(message: dict[str, Any]) -> None:
    file = events.read(with_payload(message, contentType=None), "uploads")

    assert isinstance(file, File)
    assert file.content_type == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "../../etc/passwd",
        "/leading",
        "a//b",
        "%2F",
        "#?*[]",
        "\u202egpj.exe",
        "e\u0301",
        "\u00e9",
        "\u2028",
        "😀",
        "-rf",
    ],
)
def test_a_name_is_kept_as_it_is(message: dict[str, Any], name: str) -> None:
    file = events.read(with_attributes(message, objectId=name), "uploads")

    assert isinstance(file, File)
    assert file.name == name


@pytest.mark.failure("T04")
@pytest.mark.parametrize("kind", ["OBJECT_DELETE", "OBJECT_ARCHIVE", "OBJECT_METADATA_UPDATE", "OBJECT_INITIALIZE", "NEW_KIND"])
def test_only_a_finished_upload_is_read(message: dict[str, Any], kind: str) -> None:
    assert events.read(with_attributes(message, eventType=kind), "uploads") == Ignored(f"{kind} is not an upload")


@pytest.mark.failure("T21")
def test_another_bucket_is_not_ours(message: dict[str, Any]) -> None:
    found = events.read(with_attributes(message, bucketId="results"), "uploads")

    assert isinstance(found, Ignored)
    assert "results" in found.reason


@pytest.mark.failure("T19")
@pytest.mark.parametrize(("name", "kind"), [("holiday/", "text/plain"), ("holiday", "application/x-directory")])
def test_a_folder_marker_is_ignored(message: dict[str, Any], name: str, kind: str) -> None:
    marker = with_attributes(with_payload(message, size="0", contentType=kind), objectId=name)

    assert events.read(marker, "uploads") == Ignored("a folder marker")


def test_a_name_with_bytes_is_not_a_folder_marker(message: dict[str, Any]) -> None:
    assert isinstance(events.read(with_attributes(message, objectId="holiday/"), "uploads"), File)


@pytest.mark.failure("T64")
@pytest.mark.parametrize(
    "name",
    [
        "gcloud/tmp/parallel_composite_uploads/see_gcloud_storage_cp_help_for_details/x_0c_1",
        "holiday/gcloud/tmp/parallel_composite_uploads/see_gcloud_storage_cp_help_for_details/x_0c_1",
        "/gsutil/tmp/parallel_composite_uploads/for_details_see/gsutil_help_cp/0c_1",
        "d9/gsutil/tmp/parallel_composite_uploads/for_details_see/gsutil_help_cp/0c_1",
    ],
)
def test_a_part_of_a_parallel_upload_is_ignored(message: dict[str, Any], name: str) -> None:
    assert events.read(with_attributes(message, objectId=name), "uploads") == Ignored("a temporary part of a parallel upload")


@pytest.mark.parametrize("name", ["gcloud/tmp/photo.jpg", "my-gsutil/tmp/parallel_composite_uploads/a", "gsutil/tmp/a"])
def test_a_name_that_only_looks_temporary_is_a_file(message: dict[str, Any], name: str) -> None:
    assert isinstance(events.read(with_attributes(message, objectId=name), "uploads"), File)


@pytest.mark.parametrize("missing", ["bucketId", "eventType", "objectId", "objectGeneration"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_message_without_its_attributes_is_named_malformed(message: dict[str, Any], missing: str, value: Any) -> None:
    with pytest.raises(MalformedEvent, match=missing):
        events.read(with_attributes(message, **{missing: value}), "uploads")


@pytest.mark.parametrize("attributes", [None, {}, [], ["eventType"], "eventType", 7])
def test_a_message_of_another_sender_is_malformed(attributes: Any) -> None:
    with pytest.raises(MalformedEvent, match="Cloud Storage"):
        events.read({"data": "e30=", "attributes": attributes}, "uploads")


@pytest.mark.parametrize("generation", ["seven", "-1", "1.5", "0x10", "²", " 7"])
def test_a_generation_is_a_number(message: dict[str, Any], generation: str) -> None:
    with pytest.raises(MalformedEvent, match="objectGeneration"):
        events.read(with_attributes(message, objectGeneration=generation), "uploads")


@pytest.mark.failure("T06")
@pytest.mark.parametrize("data", [None, "", "!", "e30", base64.b64encode(b"\xff\xfe").decode(), "W10=", "N", 7, "bnVsbA=="])
def test_a_missing_payload_is_refused_with_the_right_format(message: dict[str, Any], data: Any) -> None:
    with pytest.raises(MalformedEvent, match="payload-format=json"):
        events.read(message | {"data": data}, "uploads")


@pytest.mark.parametrize("changed", [{"size": "much"}, {"size": None}, {"size": []}])
def test_a_payload_without_an_object_resource_is_malformed(message: dict[str, Any], changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedEvent, match="size and crc32c"):
        events.read(with_payload(message, **changed), "uploads")


def test_a_payload_without_a_checksum_is_malformed(message: dict[str, Any]) -> None:
    empty = message | {"data": base64.b64encode(b'{"size": "7"}').decode()}

    with pytest.raises(MalformedEvent, match="crc32c"):
        events.read(empty, "uploads")


def test_a_step_notice_has_every_attribute_to_filter_by() -> None:
    (notice,) = events.step_notices(DONE)

    assert notice.attributes == {
        "ce-specversion": "1.0",
        "ce-type": "sluice.step.finished.v1",
        "ce-source": "//storage.googleapis.com/uploads",
        "ce-subject": JOB_ID,
        "ce-id": f"{JOB_ID}-{PLAN.by_name['thumbnails'].recipe.recipe_id}",
        "ce-time": "2026-01-15T10:00:01.000Z",
        "content-type": "application/json",
        "verdict": "succeeded",
        "step": "thumbnails",
        "bucket": "uploads",
        "name": "cats/Käthe.jpg",
    }


def test_a_step_notice_has_the_stored_result_with_its_job() -> None:
    (notice,) = events.step_notices(DONE)
    body = json.loads(notice.data)

    assert body == json.loads(json.dumps({**DONE.body["job"], "time": DONE.time, **DONE.steps[0]}))
    assert (body["job_id"], body["run"], body["file"]["name"], body["facts"]) == (JOB_ID, 0, "cats/Käthe.jpg", {"size": 9})


def test_each_step_of_a_task_has_a_notice() -> None:
    steps = plan(step("a"), step("b"))
    results = [Result(one.name, one.recipe.recipe_id, "succeeded") for one in steps.steps]

    notices = events.step_notices(manifest.of_task(task(steps, file=CAT), results, DONE.time))

    assert [notice.attributes["ce-id"] for notice in notices] == [f"{JOB_ID}-{one.recipe.recipe_id}" for one in steps.steps]


def test_a_job_notice_has_the_verdict_of_the_file() -> None:
    notice = events.job_notice(Job([FAILED, DONE]))

    assert notice.attributes == {
        "ce-specversion": "1.0",
        "ce-type": "sluice.job.finished.v1",
        "ce-source": "//storage.googleapis.com/uploads",
        "ce-subject": JOB_ID,
        "ce-id": JOB_ID,
        "ce-time": "2026-01-15T10:00:02.000Z",
        "content-type": "application/json",
        "verdict": "partial",
        "bucket": "uploads",
        "name": "cats/Käthe.jpg",
    }


def test_a_job_notice_has_every_step_with_its_time() -> None:
    body = json.loads(events.job_notice(Job([FAILED, DONE])).data)

    assert body["file"] == CAT.to_json()
    assert (body["verdict"], body["reason"], body["message"], body["time"]) == ("partial", "", "", FAILED.time)
    assert [(step["step"], step["verdict"], step["time"]) for step in body["steps"]] == [
        ("digest", "failed", FAILED.time),
        ("thumbnails", "succeeded", DONE.time),
    ]


def test_a_file_without_tasks_has_a_job_notice_alone() -> None:
    refused = manifest.of_no_task(Run(CAT), "failed", "too_large", "the file has 9 bytes; the limit is 8", DONE.time)
    body = json.loads(events.job_notice(Job([refused])).data)

    assert events.step_notices(refused) == []
    assert (body["verdict"], body["reason"], body["steps"]) == ("failed", "too_large", [])
    assert body["message"] == "the file has 9 bytes; the limit is 8"


def test_a_notice_published_again_has_the_same_bytes() -> None:
    read_back = Manifest(json.loads(json.dumps(DONE.body, sort_keys=True)))

    assert events.step_notices(read_back) == events.step_notices(DONE)
    assert events.job_notice(Job([FAILED, read_back])) == events.job_notice(Job([FAILED, DONE]))


def test_the_longest_name_fits_into_an_attribute_of_pubsub() -> None:
    longest = replace(CAT, name="ä" * 512)

    (notice,) = events.step_notices(ended("digest", "succeeded", "", DONE.time, longest))

    assert max(len(value.encode()) for value in notice.attributes.values()) <= 1024
    assert notice.attributes["name"] == longest.name
