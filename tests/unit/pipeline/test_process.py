"""Process: the outputs, verdict and notices of a task, and repeated deliveries."""

from dataclasses import replace

import pytest

from shared import pipeline
from shared.errors import Forbidden, Unavailable
from shared.model import Task, canonical
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Uploaded, manifests, message, only_task


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


def test_a_repeated_delivery_publishes_the_same_bytes_again(cloud: FakeCloud, task: Task) -> None:
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
    (output,) = list(cloud.results.names("files/"))
    before = cloud.results.find(output)
    cloud.results.broken = set()

    manifest = pipeline.process(task, 2, cloud)

    assert manifest.verdict == "succeeded"
    assert list(cloud.results.names("files/")) == [output]
    assert cloud.results.find(output) == before


def test_the_next_delivery_publishes_the_notice_that_a_crash_prevented(cloud: FakeCloud, task: Task) -> None:
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
    assert list(cloud.results.names("files/")) == []


def test_a_deleted_file_is_gone_and_an_overwritten_one_superseded(cloud: FakeCloud, task: Task, uploaded: Uploaded) -> None:
    uploaded("cat.png", b"newer")
    superseded = pipeline.process(task, 1, cloud)
    other = replace(task, file=replace(task.file, name="dog.png"))
    gone = pipeline.process(other, 1, cloud)

    assert (superseded.verdict, gone.verdict) == ("superseded", "gone")


def test_a_verdict_of_a_newer_release_is_published_again(cloud: FakeCloud, task: Task) -> None:
    newer = pipeline.process(task, 1, cloud).to_json()
    newer["outputs"] = [output | {"width": 64} for output in newer["outputs"]]
    cloud.results.put(f"jobs/{task.file.file_id}/{task.file.generation}/{task.recipe.recipe_id}.json", canonical(newer))

    assert pipeline.process(task, 2, cloud).verdict == "succeeded"


def test_a_task_ends_under_the_configuration_it_began_with(cloud: FakeCloud, task: Task) -> None:
    cloud.uploads.broken = {"download"}
    with pytest.raises(Unavailable):
        pipeline.process(replace(task, attempts=1, queue="removed since"), 1, cloud)

    assert pipeline.process(replace(task, attempts=1, queue="removed since"), 2, cloud).verdict == "dead"


def test_the_manifest_describes_the_stored_output(cloud: FakeCloud, task: Task) -> None:
    name = f"files/cat.png/{task.file.generation}/{task.recipe.recipe_id}/64.webp"
    stored = cloud.results.put(name, b"of an earlier attempt", "image/webp")

    (output,) = pipeline.process(task, 2, cloud).outputs

    assert (output.size, output.crc32c) == (stored.size, stored.crc32c)


def test_an_output_that_exists_but_is_not_found_is_retried(
    cloud: FakeCloud, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.results.put(f"files/cat.png/{task.file.generation}/{task.recipe.recipe_id}/64.webp", b"x", "image/webp")
    find, asked = cloud.results.find, iter([True])
    monkeypatch.setattr(cloud.results, "find", lambda name: find(name) if next(asked, False) else None)

    with pytest.raises(Unavailable):
        pipeline.process(task, 1, cloud)
    assert manifests(cloud) == []


def test_the_loser_of_a_race_publishes_the_winners_verdict(cloud: FakeCloud, task: Task) -> None:
    first = pipeline.process(task, 1, cloud)
    cloud.results.hidden_once.add(f"jobs/{task.file.file_id}/{task.file.generation}/{task.recipe.recipe_id}.json")

    second = pipeline.process(task, 2, cloud)

    assert second == first
    assert cloud.completions.notices[0] == cloud.completions.notices[2]


def test_a_task_for_another_bucket_is_refused(cloud: FakeCloud, task: Task) -> None:
    with pytest.raises(Forbidden):
        pipeline.process(replace(task, file=replace(task.file, bucket="secrets")), 1, cloud)

    assert manifests(cloud) == []


def test_only_the_last_sibling_publishes_the_job(cloud: FakeCloud, task: Task) -> None:
    other = replace(task.recipe, step="extra")
    siblings = (other.recipe_id, task.recipe.recipe_id)
    first, last = replace(task, siblings=siblings), replace(task, siblings=siblings, recipe=other)

    pipeline.process(first, 1, cloud)
    ids_before = cloud.completions.ids()
    pipeline.process(last, 1, cloud)

    assert ids_before == [first.task_id]
    assert cloud.completions.ids() == [first.task_id, last.task_id, task.file.job_id]


def test_an_older_generation_that_ends_late_stays_in_its_own_job(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    older = uploaded("cat.png", picture)
    pipeline.dispatch(message(older), cloud)
    newer = uploaded("cat.png", picture + b" ")
    pipeline.dispatch(message(newer), cloud)
    late, current = cloud.queue.tasks.values()

    verdicts = [pipeline.process(task, 1, cloud).verdict for task in (current, late)]

    assert verdicts == ["succeeded", "superseded"]
    assert all(f"/{newer.generation}/" in name for name in list(cloud.results.names("files/")))
