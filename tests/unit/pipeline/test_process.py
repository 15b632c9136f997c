"""Process: the outputs, verdicts and notices of a task, and repeated deliveries."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import clock, index, pipeline
from shared import ledger as objects
from shared.errors import Forbidden, Unavailable
from shared.manifest import Manifest
from shared.model import File, Run
from shared.plan import Task
from shared.processors import Draft
from shared.processors.registry import registered
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Uploaded, ledger, manifests, message, only_task, verdicts
from tests.unit.pipeline.conftest import Enlist
from tests.unit.plans import SCRIPTED, Script, plan, step
from tests.unit.releases import extended


def ids(task: Task) -> list[str]:
    """The `ce-id` of each notice of the task's job, which has no other task."""
    return [*(f"{task.run.job_id}-{one.recipe.recipe_id}" for one in task.steps), task.run.job_id]


def test_a_task_leaves_outputs_a_manifest_and_two_notices(cloud: FakeCloud, task: Task) -> None:
    pipeline.process(task, 1, cloud)

    (body,) = manifests(cloud)
    ((output,),) = (one["outputs"] for one in body["steps"])
    recipe_id = task.steps[0].recipe.recipe_id
    stored = cloud.results.find(output["object"])
    assert stored is not None
    assert output == {
        "name": "64.webp",
        "object": f"files/cat.png/{task.file.generation}/{recipe_id}/64.webp",
        "content_type": "image/webp",
        "size": stored.size,
        "crc32c": stored.crc32c,
        "facts": {"width_px": 64, "height_px": 48},
    }
    assert list(cloud.results.names("")) == [
        output["object"],
        index.entry_name(task.run, "succeeded"),
        f"jobs/{task.file.file_id}/{task.file.generation}/0/job.json",
    ]
    assert cloud.completions.ids() == ids(task)


def test_the_manifest_carries_plan_times_and_cost(cloud: FakeCloud, task: Task) -> None:
    pipeline.process(task, 1, cloud)

    (body,) = manifests(cloud)
    (result,) = body["steps"]
    assert (body["plan"]["id"], body["stage"], body["queue"]) == (task.plan.plan8, 0, "images")
    assert list(result["times"]) == ["begun", "fetched", "stored", "worked"]
    assert result["times"]["stored"] <= body["time"]
    assert result["cost"]["bytes_in"] == task.file.size
    assert result["cost"]["cpu_seconds"] > 0


@pytest.mark.failure("T35")
def test_a_repeated_delivery_publishes_the_same_bytes_again(cloud: FakeCloud, task: Task) -> None:
    pipeline.process(task, 1, cloud)
    cloud.uploads.versions.clear()
    pipeline.process(task, 2, cloud)

    first, again = cloud.completions.notices[:2], cloud.completions.notices[2:]
    assert first == again
    assert len(manifests(cloud)) == 1


def test_facts_that_json_changes_are_published_as_they_are_stored(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    def work(_source: Path, folder: Path, _options: object) -> Iterator[Draft | Mapping[Any, Any]]:
        (folder / "1.txt").touch()
        yield Draft("1.txt", "text/plain", folder / "1.txt", {9: "nine", 10: ("ten",)})  # type: ignore[dict-item]
        yield {9: "nine", 10: ("ten",)}

    registered[SCRIPTED] = replace(registered[SCRIPTED], work=work)
    (task,) = enlist(plan(step("a")))
    for delivery in (1, 2):
        pipeline.process(task, delivery, cloud)

    assert cloud.completions.notices[:2] == cloud.completions.notices[2:]


@pytest.mark.failure("T30", "T31")
def test_a_first_delivery_that_comes_late_changes_nothing(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (task,) = enlist(plan(step("a")))
    pipeline.process(task, 1, cloud)
    before = dict(cloud.results.versions)
    pipeline.process(task, 1, cloud)

    assert cloud.results.versions == before
    assert cloud.completions.notices[:2] == cloud.completions.notices[2:]
    assert script.worked == ["a", "a"]  # in vain: a first delivery does not look for the manifest


def test_the_first_delivery_of_a_swept_task_looks_for_the_manifest(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (task,) = enlist(plan(step("a")))
    pipeline.process(task, 1, cloud)
    pipeline.process(replace(task, sweep=1), 1, cloud)

    assert script.worked == ["a"]
    assert cloud.completions.notices[:2] == cloud.completions.notices[2:]


@pytest.mark.failure("T32")
def test_a_crash_between_outputs_and_manifest_ends_succeeded_once(cloud: FakeCloud, task: Task) -> None:
    cloud.results.broken = {"create jobs"}
    with pytest.raises(Unavailable):
        pipeline.process(task, 1, cloud)
    (output,) = list(cloud.results.names("files/"))
    before = cloud.results.find(output)
    cloud.results.broken = set()

    pipeline.process(task, 2, cloud)

    assert verdicts(cloud) == {"thumbnails": "succeeded"}
    assert list(cloud.results.names("files/")) == [output]
    assert cloud.results.find(output) == before


@pytest.mark.failure("T33")
def test_the_next_delivery_publishes_the_notice_that_a_crash_prevented(cloud: FakeCloud, task: Task) -> None:
    cloud.completions.broken = True
    with pytest.raises(Unavailable):
        pipeline.process(task, 1, cloud)
    cloud.completions.broken = False

    pipeline.process(task, 2, cloud)

    assert cloud.completions.ids() == ids(task)


@pytest.mark.failure("T39")
def test_a_truncated_picture_fails_at_once_with_a_reason(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("cut.png", picture[: len(picture) // 2])), cloud)

    pipeline.process(only_task(cloud), 1, cloud)

    (result,) = ledger(cloud)["job.json"]["steps"]
    assert (result["verdict"], result["reason"], result["attempt"]) == ("failed", "truncated", 1)
    assert list(cloud.results.names("files/")) == []


@pytest.mark.failure("T40")
def test_a_deleted_file_is_gone(cloud: FakeCloud, task: Task) -> None:
    cloud.uploads.versions.clear()
    pipeline.process(task, 1, cloud)

    assert verdicts(cloud) == {"thumbnails": "gone"}


@pytest.mark.failure("T41")
def test_an_overwritten_file_is_superseded(cloud: FakeCloud, task: Task, uploaded: Uploaded) -> None:
    uploaded("cat.png", b"newer")
    pipeline.process(task, 1, cloud)

    assert verdicts(cloud) == {"thumbnails": "superseded"}
    assert [notice.attributes["verdict"] for notice in cloud.completions.notices] == ["superseded", "superseded"]


@pytest.mark.failure("T25")
@pytest.mark.parametrize("now", ["2020-01-01T00:00:00.000Z", "2090-01-01T00:00:00.000Z"])
def test_a_wrong_clock_changes_times_alone(cloud: FakeCloud, task: Task, now: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)
    pipeline.process(task, 1, cloud)
    monkeypatch.undo()
    pipeline.process(task, 2, cloud)

    (body,) = manifests(cloud)
    assert body["time"] == now
    assert verdicts(cloud) == {"thumbnails": "succeeded"}
    assert cloud.completions.ids() == ids(task) * 2
    assert index.has_entry(cloud.results, task.run)


@pytest.mark.failure("T70")
def test_a_task_ends_under_the_configuration_it_began_with(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (task,) = enlist(plan(step("removed-since", "removed-too", attempts=1)))
    script.raises["removed-since"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        pipeline.process(task, 1, cloud)
    pipeline.process(task, 2, cloud)

    assert verdicts(cloud) == {"removed-since": "dead"}


def test_the_manifest_describes_the_stored_output(cloud: FakeCloud, task: Task) -> None:
    name = f"files/cat.png/{task.file.generation}/{task.steps[0].recipe.recipe_id}/64.webp"
    stored = cloud.results.put(name, b"of an earlier attempt", "image/webp")

    pipeline.process(task, 2, cloud)

    ((output,),) = (one["outputs"] for one in ledger(cloud)["job.json"]["steps"])
    assert (output["size"], output["crc32c"]) == (stored.size, stored.crc32c)


@pytest.mark.failure("T22", "T38")
def test_the_loser_of_a_race_publishes_the_winners_verdict(cloud: FakeCloud, task: Task, uploaded: Uploaded) -> None:
    pipeline.process(task, 1, cloud)
    cloud.results.hidden_once.add(objects.job_name(task.run))
    cloud.uploads.versions.clear()

    pipeline.process(task, 2, cloud)

    assert verdicts(cloud) == {"thumbnails": "succeeded"}
    assert cloud.completions.notices[:2] == cloud.completions.notices[2:]


def test_a_verdict_of_a_newer_release_is_published_again(cloud: FakeCloud, task: Task) -> None:
    pipeline.process(task, 1, cloud)
    name = objects.job_name(task.run)
    newer = Manifest(extended(dict(ledger(cloud)["job.json"])))
    del cloud.results.versions[name]
    objects.commit(cloud.results, name, newer)

    pipeline.process(task, 2, cloud)

    assert b"a newer release" in cloud.completions.notices[-1].data
    assert cloud.completions.ids() == ids(task) * 2


@pytest.mark.failure("T57")
def test_a_task_for_another_bucket_is_refused(cloud: FakeCloud, task: Task) -> None:
    with pytest.raises(Forbidden):
        pipeline.process(replace(task, run=Run(replace(task.file, bucket="secrets"))), 1, cloud)

    assert manifests(cloud) == []


def test_an_older_generation_that_ends_late_stays_in_its_own_job(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    older = uploaded("cat.png", picture)
    pipeline.dispatch(message(older), cloud)
    newer = uploaded("cat.png", picture + b" ")
    pipeline.dispatch(message(newer), cloud)
    late, current = cloud.queue.added.values()

    for task in (current, late):
        pipeline.process(task, 1, cloud)

    jobs = {name.split("/")[2]: ended for name, ended in _by_name(cloud).items()}
    assert jobs == {str(newer.generation): "succeeded", str(older.generation): "superseded"}
    assert all(f"/{newer.generation}/" in name for name in list(cloud.results.names("files/")))


def _by_name(cloud: FakeCloud) -> dict[str, str]:
    found = {name: objects.find(cloud.results, name) for name in list(cloud.results.names("jobs/"))}
    return {name: one.steps[0]["verdict"] for name, one in found.items() if isinstance(one, Manifest)}


def test_a_later_run_writes_outputs_and_manifest_of_its_own(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"))
    for number in (0, 1):
        pipeline.enlist(Run(cat, number), steps, cloud)
    for task in list(cloud.queue.added.values()):
        pipeline.process(task, 1, cloud)

    recipe_id = steps.by_name["a"].recipe.recipe_id
    assert list(cloud.results.names("")) == [
        f"files/cat.jpg/{cat.generation}/{recipe_id}-r1/1.txt",
        f"files/cat.jpg/{cat.generation}/{recipe_id}/1.txt",
        index.entry_name(Run(cat), "succeeded"),
        index.entry_name(Run(cat, 1), "succeeded"),
        f"jobs/{cat.file_id}/{cat.generation}/0/job.json",
        f"jobs/{cat.file_id}/{cat.generation}/1/job.json",
    ]
