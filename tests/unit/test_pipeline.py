"""The protocol, decision by decision: what is queued, what is committed, what is told, and what happens the second time."""

import base64
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from shared import pipeline, sandbox
from shared.errors import BadRequest, Conflict, Forbidden, TooLarge, Unavailable, UnsupportedType
from shared.intake import Incoming
from shared.model import File, Task
from shared.routes import parse
from tests.fakes import FakeCloud, crc32c

Uploaded = Callable[..., File]
ONLY_PICTURES = """
[queues.images]
max_dispatches_per_second = 5
max_concurrent_dispatches = 2
attempts = 3
min_backoff_seconds = 1
max_backoff_seconds = 60
[steps.thumbnails]
processor = "image.renditions"
queue = "images"
options = { sizes = [64] }
[[routes]]
content_type = "image/*"
name = "**"
steps = ["thumbnails"]
"""


@pytest.fixture
def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def cloud(cloud: FakeCloud) -> FakeCloud:
    cloud.routes = parse(ONLY_PICTURES)
    return cloud


def message(file: File, **changed: str) -> dict[str, Any]:
    payload = {"size": str(file.size), "contentType": file.content_type, "crc32c": file.crc32c}
    attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": file.bucket, "objectId": file.name}
    numbered = {"objectGeneration": str(file.generation)}
    return {"attributes": attributes | numbered | changed, "data": base64.b64encode(json.dumps(payload).encode()).decode()}


def only_task(cloud: FakeCloud) -> Task:
    (task,) = cloud.queue.tasks.values()
    return task


def manifests(cloud: FakeCloud) -> list[Mapping[str, Any]]:
    return [json.loads(cloud.results.read(name) or b"") for name in cloud.results.json("jobs/")]


# ---- dispatch


def test_a_repeated_event_queues_each_task_once(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    file = uploaded("cat.png", picture)

    pipeline.dispatch(message(file), cloud)
    pipeline.dispatch(message(file), cloud)

    assert [task.file for task in cloud.queue.tasks.values()] == [file]


def test_two_generations_are_two_jobs_in_whatever_order_they_are_told_of(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
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
    assert cloud.completions.ids() == [file.job_id, file.job_id]
    assert cloud.completions.notices[0] == cloud.completions.notices[1]


def test_an_empty_file_is_skipped_with_its_reason(cloud: FakeCloud, uploaded: Uploaded) -> None:
    pipeline.dispatch(message(uploaded("empty.png", b"")), cloud)

    assert [manifest["reason"] for manifest in manifests(cloud)] == ["empty"]
    assert cloud.queue.tasks == {}


def test_what_is_no_upload_leaves_no_trace(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("folder/", b"")), cloud)
    pipeline.dispatch(message(uploaded("cat.png", picture), eventType="OBJECT_DELETE"), cloud)
    pipeline.dispatch(message(replace(uploaded("cat.png", picture), bucket="results")), cloud)

    assert (cloud.queue.tasks, manifests(cloud), cloud.completions.notices) == ({}, [], [])


def test_a_message_nobody_can_read_is_kept_among_the_dead_letters(cloud: FakeCloud) -> None:
    pipeline.dispatch({"attributes": {"hello": "world"}, "data": ""}, cloud)

    (letter,) = cloud.dead_letters.notices
    assert json.loads(letter.data)["attributes"] == {"hello": "world"}
    assert "eventType" in letter.attributes["reason"] or "bucketId" in letter.attributes["reason"]


def test_a_reason_is_no_longer_than_an_attribute_may_be(cloud: FakeCloud) -> None:
    pipeline.bury(b"x", "é" * 1000, cloud)

    assert cloud.dead_letters.notices[0].attributes["reason"] == "é" * 512


def test_a_message_that_cannot_be_kept_is_delivered_again(cloud: FakeCloud) -> None:
    cloud.dead_letters.broken = True

    with pytest.raises(Unavailable):
        pipeline.dispatch({"attributes": {}, "data": ""}, cloud)


def test_an_event_is_delivered_again_while_the_queue_cannot_be_used(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    cloud.queue.broken = True

    with pytest.raises(Unavailable):
        pipeline.dispatch(message(uploaded("cat.png", picture)), cloud)


def test_a_name_that_leaves_no_room_for_results_is_a_verdict_not_a_task(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    pipeline.dispatch(message(uploaded("n" * 1000 + ".png", picture)), cloud)

    assert [(manifest["verdict"], manifest["reason"]) for manifest in manifests(cloud)] == [("failed", "name_too_long")]
    assert cloud.queue.tasks == {}
    assert len(cloud.completions.notices) == 2


def test_a_file_over_the_limit_is_a_verdict_before_it_is_downloaded(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    pipeline.dispatch(message(replace(uploaded("cat.png", picture), size=6_000_000)), cloud)

    assert [manifest["reason"] for manifest in manifests(cloud)] == ["too_large"]


# ---- process


@pytest.fixture
def task(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> Task:
    pipeline.dispatch(message(uploaded("cat.png", picture)), cloud)
    return only_task(cloud)


def test_a_task_leaves_outputs_a_manifest_and_two_notices(cloud: FakeCloud, task: Task) -> None:
    manifest = pipeline.process(task, 1, cloud)

    (output,) = manifest.outputs
    stored = cloud.results.find(output.object)
    assert stored is not None
    assert (output.name, output.size, output.crc32c, dict(output.facts)) == (
        "64.webp",
        stored.size,
        stored.crc32c,
        {"width_px": 64, "height_px": 48},
    )
    assert output.object == f"files/cat.png/{task.file.generation}/{task.recipe.recipe_id}/64.webp"
    assert manifests(cloud) == [manifest.to_json()]
    assert cloud.completions.ids() == [task.task_id, task.file.job_id]


def test_a_task_delivered_again_only_publishes_again_to_the_byte(cloud: FakeCloud, task: Task) -> None:
    pipeline.process(task, 1, cloud)
    cloud.uploads.versions.clear()
    pipeline.process(task, 2, cloud)

    first, again = cloud.completions.notices[:2], cloud.completions.notices[2:]
    assert first == again
    assert len(manifests(cloud)) == 1


def test_a_crash_between_outputs_and_manifest_ends_succeeded_once(cloud: FakeCloud, task: Task) -> None:
    cloud.results.broken = {"create jobs"}
    with pytest.raises(Unavailable):
        pipeline.process(task, 1, cloud)
    (output,) = cloud.results.json("files/")
    before = cloud.results.find(output)
    cloud.results.broken = set()

    manifest = pipeline.process(task, 2, cloud)

    assert manifest.verdict == "succeeded"
    assert cloud.results.json("files/") == [output]
    assert cloud.results.find(output) == before


def test_a_crash_between_manifest_and_notice_is_made_good_by_the_next_delivery(cloud: FakeCloud, task: Task) -> None:
    cloud.completions.broken = True
    with pytest.raises(Unavailable):
        pipeline.process(task, 1, cloud)
    cloud.completions.broken = False

    pipeline.process(task, 2, cloud)

    assert cloud.completions.ids() == [task.task_id, task.file.job_id]


def test_a_corrupt_picture_fails_at_once_with_a_reason(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("cut.png", picture[: len(picture) // 2])), cloud)

    manifest = pipeline.process(only_task(cloud), 1, cloud)

    assert (manifest.verdict, manifest.reason, manifest.attempt) == ("failed", "corrupt", 1)
    assert cloud.results.json("files/") == []


def test_a_deleted_file_is_gone_and_an_overwritten_one_superseded(cloud: FakeCloud, task: Task, uploaded: Uploaded) -> None:
    uploaded("cat.png", b"newer")
    superseded = pipeline.process(task, 1, cloud)
    other = replace(task, file=replace(task.file, name="dog.png"))
    gone = pipeline.process(other, 1, cloud)

    assert (superseded.verdict, gone.verdict) == ("superseded", "gone")


def test_an_outage_is_left_to_the_queue_and_remembered_for_the_burial(cloud: FakeCloud, task: Task) -> None:
    cloud.uploads.broken = {"download"}
    for delivery in (1, 2, 3):
        with pytest.raises(Unavailable):
            pipeline.process(task, delivery, cloud)

    buried = pipeline.process(task, 4, cloud)

    assert (buried.verdict, buried.reason, buried.attempt) == ("dead", "attempts_used_up", 3)
    assert "planted" in buried.message
    assert cloud.completions.ids() == [task.task_id, task.file.job_id]


class Killed(BaseException):
    """The process ends, with no chance to write anything down."""


def test_the_burial_does_no_risky_work(cloud: FakeCloud, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def kills(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(sandbox, "run", kills)
    for delivery in (1, 2, 3):
        with pytest.raises(Killed):
            pipeline.process(task, delivery, cloud)

    buried = pipeline.process(task, 4, cloud)

    assert (buried.verdict, buried.attempt) == ("dead", 3)
    assert "without a word" in buried.message


def test_deliveries_that_never_arrived_use_up_no_attempts(cloud: FakeCloud, task: Task) -> None:
    cloud.uploads.broken = {"download"}
    with pytest.raises(Unavailable):
        pipeline.process(task, 40, cloud)  # those before met a processor that was down
    cloud.uploads.broken = set()

    manifest = pipeline.process(task, 41, cloud)

    assert (manifest.verdict, manifest.attempt) == ("succeeded", 3)


def test_nothing_is_tried_that_cannot_be_counted(cloud: FakeCloud, task: Task) -> None:
    cloud.results.broken = {"create attempts"}

    with pytest.raises(Unavailable):
        pipeline.process(task, 2, cloud)
    assert cloud.results.json("files/") == []


def test_a_task_ends_under_the_configuration_it_began_with(cloud: FakeCloud, task: Task) -> None:
    cloud.uploads.broken = {"download"}
    with pytest.raises(Unavailable):
        pipeline.process(replace(task, attempts=1, queue="removed since"), 1, cloud)

    assert pipeline.process(replace(task, attempts=1, queue="removed since"), 2, cloud).verdict == "dead"


def test_the_manifest_tells_of_what_is_stored(cloud: FakeCloud, task: Task) -> None:
    name = f"files/cat.png/{task.file.generation}/{task.recipe.recipe_id}/64.webp"
    stored = cloud.results.put(name, b"of an earlier attempt", "image/webp")

    (output,) = pipeline.process(task, 2, cloud).outputs

    assert (output.size, output.crc32c) == (stored.size, stored.crc32c)


def test_an_output_that_was_there_and_is_not_is_tried_again(
    cloud: FakeCloud, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.results.put(f"files/cat.png/{task.file.generation}/{task.recipe.recipe_id}/64.webp", b"x", "image/webp")
    find, asked = cloud.results.find, iter([True])
    monkeypatch.setattr(cloud.results, "find", lambda name: find(name) if next(asked, False) else None)

    with pytest.raises(Unavailable):
        pipeline.process(task, 1, cloud)
    assert manifests(cloud) == []


def test_the_loser_of_a_race_tells_of_the_winner(cloud: FakeCloud, task: Task) -> None:
    first = pipeline.process(task, 1, cloud)
    cloud.results.hidden_once.add(f"jobs/{task.file.file_id}/{task.file.generation}/{task.recipe.recipe_id}.json")

    second = pipeline.process(task, 2, cloud)

    assert second == first
    assert cloud.completions.notices[0] == cloud.completions.notices[2]


def test_a_task_for_another_bucket_is_refused(cloud: FakeCloud, task: Task) -> None:
    with pytest.raises(Forbidden):
        pipeline.process(replace(task, file=replace(task.file, bucket="secrets")), 1, cloud)

    assert manifests(cloud) == []


def test_the_job_is_told_by_the_last_sibling_only(cloud: FakeCloud, task: Task) -> None:
    other = replace(task.recipe, step="extra")
    siblings = (other.recipe_id, task.recipe.recipe_id)
    first, last = replace(task, siblings=siblings), replace(task, siblings=siblings, recipe=other)

    pipeline.process(first, 1, cloud)
    told_before = cloud.completions.ids()
    pipeline.process(last, 1, cloud)

    assert told_before == [first.task_id]
    assert cloud.completions.ids() == [first.task_id, last.task_id, task.file.job_id]


def test_an_older_generation_that_ends_late_stays_in_its_own_job(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    older = uploaded("cat.png", picture)
    pipeline.dispatch(message(older), cloud)
    newer = uploaded("cat.png", picture + b" ")
    pipeline.dispatch(message(newer), cloud)
    late, current = cloud.queue.tasks.values()

    verdicts = [pipeline.process(task, 1, cloud).verdict for task in (current, late)]

    assert verdicts == ["succeeded", "superseded"]
    assert all(f"/{newer.generation}/" in name for name in cloud.results.json("files/"))


# ---- receive


def incoming(data: bytes, name: str = "cat.png", content_type: str = "image/png") -> Incoming:
    return Incoming(name, content_type, iter([data[:10], data[10:]] if len(data) > 10 else [data] if data else []))


def test_a_received_file_is_stored_whole_and_its_tasks_are_those_of_the_event(cloud: FakeCloud, picture: bytes) -> None:
    file = pipeline.receive(incoming(picture), cloud)
    before = dict(cloud.queue.tasks)
    pipeline.dispatch(message(file), cloud)

    assert cloud.uploads.read(file.name) == picture
    assert file.crc32c == crc32c(picture)
    assert cloud.queue.tasks == before
    assert len(before) == 1


def test_the_bytes_decide_the_type_not_the_sender(cloud: FakeCloud, picture: bytes) -> None:
    file = pipeline.receive(incoming(picture, content_type="application/pdf"), cloud)

    assert file.content_type == "image/png"


def test_a_type_without_a_route_is_refused_with_those_that_have_one(cloud: FakeCloud) -> None:
    with pytest.raises(UnsupportedType, match=r"text/plain.*image/\*"):
        pipeline.receive(incoming(b"only words", "words.png"), cloud)

    assert cloud.uploads.versions == {}


def test_an_empty_file_is_refused(cloud: FakeCloud) -> None:
    with pytest.raises(BadRequest, match="empty"):
        pipeline.receive(incoming(b""), cloud)


def test_a_file_over_the_limit_is_refused_with_the_way_to_the_issuer(cloud: FakeCloud, picture: bytes) -> None:
    with pytest.raises(TooLarge, match=r"https://issuer\.test"):
        pipeline.receive(incoming(picture + bytes(1_000_000)), cloud)

    assert cloud.uploads.versions == {}


def test_the_same_key_and_bytes_give_the_same_object(cloud: FakeCloud, picture: bytes) -> None:
    first = pipeline.receive(incoming(picture), cloud, "key-1")
    again = pipeline.receive(incoming(picture), cloud, "key-1")
    other = pipeline.receive(incoming(picture), cloud, "key-2")

    assert first == again
    assert other.name != first.name
    assert len(cloud.uploads.versions) == 2


def test_the_same_key_with_other_bytes_is_a_conflict(cloud: FakeCloud, picture: bytes) -> None:
    pipeline.receive(incoming(picture), cloud, "key-1")

    for other in (picture + b" ", picture[:-1] + bytes([picture[-1] ^ 1])):
        with pytest.raises(Conflict):
            pipeline.receive(incoming(other), cloud, "key-1")


def test_a_file_that_arrived_otherwise_than_it_was_sent_is_not_accepted(
    cloud: FakeCloud, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = cloud.uploads.create
    monkeypatch.setattr(cloud.uploads, "create", lambda *what: replace(create(*what), crc32c="AAAAAA=="))

    with pytest.raises(Unavailable, match="send it again"):
        pipeline.receive(incoming(picture), cloud)
    assert cloud.queue.tasks == {}


def test_a_file_that_would_fail_whatever_we_did_is_left_to_the_dispatcher(cloud: FakeCloud, picture: bytes) -> None:
    cloud.settings = replace(cloud.settings, max_file_bytes=len(picture) - 1)
    file = pipeline.receive(incoming(picture), cloud)

    assert cloud.queue.tasks == {}
    pipeline.dispatch(message(file), cloud)
    assert [manifest["reason"] for manifest in manifests(cloud)] == ["too_large"]


def test_a_file_of_just_the_limit_is_processed(cloud: FakeCloud, picture: bytes) -> None:
    cloud.settings = replace(cloud.settings, max_file_bytes=len(picture))

    assert pipeline.receive(incoming(picture), cloud).file_id
    assert only_task(cloud).file.size == len(picture)


def test_a_file_is_accepted_even_while_the_queue_cannot_be_used(cloud: FakeCloud, picture: bytes) -> None:
    cloud.queue.broken = True
    file = pipeline.receive(incoming(picture), cloud)
    cloud.queue.broken = False

    pipeline.dispatch(message(file), cloud)

    assert only_task(cloud).file == file
