"""Reprocessing: the files whose newest run lacks a recipe of today's plan, from the index alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared import index, manifest, pipeline
from shared.model import File, Result, Run
from shared.operations import reprocess
from shared.operations.listing import Query
from shared.operations.reprocess import Changed, Count, Where
from shared.operations.rerun import rerun
from shared.plan import Plan, Task
from shared.testing import FakeCloud
from tests.unit.operations.conftest import Fixed
from tests.unit.pipeline.calls import Counted
from tests.unit.plans import Script, plan, step
from tests.unit.working import again, work

Put = Callable[..., File]
OLD = plan(step("a", "q1"), step("b", "q1"))
NEW = plan(step("a", "q1", flavour="new"), step("b", "q1"))
#: More recipe ids than fit into an entry.
MANY = plan(*(step(f"a-{'long' * 10}-{number:03}", "q1") for number in range(100)))
EVERY = Query()


@pytest.fixture(autouse=True)
def _planned(cloud: FakeCloud, script: Script) -> None:
    give(cloud, NEW)


def give(cloud: FakeCloud, steps: Plan) -> None:
    cloud.routes = Fixed(steps)  # type: ignore[assignment]


def changed(cloud: FakeCloud, query: Query = EVERY, **where: Any) -> list[Changed]:
    return list(reprocess.choose(query, Where(**where), cloud))


def names(found: list[Changed]) -> list[str]:
    return [one.job.name for one in found]


def test_a_file_with_another_recipe_today_is_chosen(cloud: FakeCloud, uploaded: Put) -> None:
    work(OLD, cloud, uploaded("old.jpg", b"meow"))
    work(NEW, cloud, uploaded("new.jpg", b"meow"))

    (one,) = changed(cloud)
    ids = [steps.by_name["a"].recipe.recipe_id for steps in (OLD, NEW)]
    assert (one.job.name, dict(one.recipes)) == ("old.jpg", {"a": tuple(ids)})


def test_a_step_that_is_new_counts_and_one_that_is_gone_does_not(cloud: FakeCloud, uploaded: Put) -> None:
    work(plan(step("b", "q1")), cloud, uploaded("fewer.jpg", b"meow"))
    work(plan(*NEW.steps, step("c", "q1")), cloud, uploaded("more.jpg", b"meow"))

    (one,) = changed(cloud)
    assert (one.job.name, one.recipes["a"][0]) == ("fewer.jpg", "")


def test_a_file_that_no_route_took_is_chosen_once_one_does(cloud: FakeCloud, uploaded: Put) -> None:
    give(cloud, Plan())
    pipeline.enlist(Run(uploaded("cat.xyz", b"meow")), Plan(), cloud)
    assert changed(cloud) == []
    give(cloud, NEW)

    assert names(changed(cloud)) == ["cat.xyz"]


@pytest.mark.parametrize("data", [b"", b"x" * 5_000_001])
def test_a_file_with_nothing_to_do_today_is_left_out(cloud: FakeCloud, uploaded: Put, data: bytes) -> None:
    pipeline.enlist(Run(uploaded("cat.jpg", data)), OLD, cloud)

    assert len(list(cloud.results.names("index/"))) == 1
    assert changed(cloud) == []


def test_the_newest_run_counts(cloud: FakeCloud, uploaded: Put, script: Script) -> None:
    work(OLD, cloud, file := uploaded("cat.jpg", b"meow"))
    again(file, NEW, cloud)
    assert (changed(cloud), script.worked) == ([], ["a", "b", "a"])
    give(cloud, OLD)
    assert [one.job.run for one in changed(cloud)] == [1]


def test_files_in_work_and_lost_originals_are_left_out(cloud: FakeCloud, uploaded: Put) -> None:
    work(OLD, cloud, file := uploaded("again.jpg", b"meow"))
    rerun(Run(file), OLD, "request", cloud)
    work(OLD, cloud, uploaded("twice.jpg", b"meow"))
    work(OLD, cloud, uploaded("twice.jpg", b"purr"))
    gone = uploaded("gone.jpg", b"meow")
    del cloud.uploads.versions["gone.jpg"]
    work(OLD, cloud, gone)

    assert [(one.job.name, one.file.size) for one in changed(cloud)] == [("twice.jpg", 4)]
    assert changed(cloud)[0].job.generation == max(cloud.uploads.versions["twice.jpg"])


def test_files_are_chosen_by_step_query_and_metadata(cloud: FakeCloud, uploaded: Put) -> None:
    work(OLD, cloud, uploaded("a.jpg", b"meow", "image/jpeg", {"customer": "7"}))
    work(OLD, cloud, uploaded("b.png", b"meow", "image/png"))

    assert names(changed(cloud, steps=("a",))) == ["b.png", "a.jpg"]
    assert names(changed(cloud, steps=("b",))) == []
    assert names(changed(cloud, metadata={"customer": "7"})) == ["a.jpg"]
    assert names(changed(cloud, metadata={"customer": "8"})) == []
    assert names(changed(cloud, metadata={"customer": "7", "urgent": "yes"})) == []
    assert names(changed(cloud, Query(content_type="image/png"))) == ["b.png"]
    assert names(changed(cloud, Query(verdicts=("failed",)))) == []


def test_what_did_not_fit_into_the_entry_is_read_from_the_manifests(cloud: FakeCloud, uploaded: Put) -> None:
    file = uploaded("cat.jpg", b"meow")
    results = [Result(one.name, one.recipe.recipe_id, "succeeded") for one in MANY.steps]
    done = manifest.of_task(Task(Run(file), MANY, MANY.places[0]), results, "2023-11-14T22:13:21.000Z")
    pipeline._commit(f"jobs/{file.file_id}/{file.generation}/0/job.json", done, cloud)
    index.write(cloud.results, manifest.Job([done]))
    (name,) = cloud.results.names("index/")
    assert cloud.results.versions[name].popitem()[1][0].metadata["cut"] == "recipes"
    del cloud.results.versions[name]
    index.write(cloud.results, manifest.Job([done]))

    give(cloud, MANY)
    assert changed(cloud) == []
    give(cloud, plan(*MANY.steps, step("more", "q1")))
    assert [list(one.recipes) for one in changed(cloud)] == [["more"]]


def test_what_did_not_fit_is_read_from_the_manifests_of_the_newest_run(cloud: FakeCloud, uploaded: Put) -> None:
    work(OLD, cloud, file := uploaded("cat.jpg", b"meow"))
    give(cloud, MANY)
    again(file, MANY, cloud)

    assert index.newest(cloud.results, Run(file)).cut == ("recipes",)
    assert changed(cloud) == []
    for name in list(cloud.results.names("jobs/")):
        del cloud.results.versions[name]
    assert names(changed(cloud)) == ["cat.jpg"], "without manifests it has no recipe"


def test_the_plan_beside_the_manifests_is_passed_over(cloud: FakeCloud, uploaded: Put) -> None:
    give(cloud, both := plan(*MANY.steps, step("b", "q2")))
    work(both, cloud, uploaded("cat.jpg", b"meow"))

    assert changed(cloud) == []


def test_metadata_that_did_not_fit_is_read_from_the_manifests(cloud: FakeCloud, uploaded: Put) -> None:
    work(OLD, cloud, file := uploaded("cat.jpg", b"meow", "image/jpeg", {"customer": "7", "title": "é" * 1000}))

    assert index.newest(cloud.results, Run(file)).cut == ("metadata",)
    assert names(changed(cloud, metadata={"customer": "7"})) == ["cat.jpg"]


def test_a_message_that_did_not_fit_costs_no_call(cloud: FakeCloud, uploaded: Put) -> None:
    entry = replace(index.in_work(Run(uploaded("cat.jpg", b"meow"))), verdict="failed", cut=("message",))
    cloud.results = Counted(cloud.results)  # type: ignore[assignment]

    assert reprocess._changed(entry, cloud)
    assert cloud.results.calls == []  # type: ignore[attr-defined]


def test_the_count_sums_up_by_recipe(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(3):
        work(OLD, cloud, uploaded(f"{number}.jpg", b"meow"))
    found = Count()
    for one in changed(cloud):
        found.add(one)

    (row,) = found.to_json()["recipes"]
    assert (found.files, row["step"], row["files"], found.use.calls) == (3, "a", 3, 3 * changed(cloud)[0].use.calls)


def test_five_thousand_files_cost_lists_only(cloud: FakeCloud, uploaded: Put) -> None:
    """Of each wanted verdict and of the claims a list call for a thousand, and no call for a file."""
    for number in range(5000):
        run = Run(uploaded(f"{number:04}.jpg", b"meow"))
        index.write(cloud.results, manifest.Job([manifest.of_no_task(run, "succeeded", "", "", "2023-11-14T22:13:21.000Z")]))
    cloud.uploads, cloud.results, cloud.queue = (Counted(part) for part in (cloud.uploads, cloud.results, cloud.queue))  # type: ignore[assignment]
    found = changed(cloud)

    assert len(found) == 5000
    assert cloud.results.calls == ["page"] * (len(reprocess.PRESENT) + 6)  # type: ignore[attr-defined]
    assert cloud.uploads.calls == cloud.queue.calls == []  # type: ignore[attr-defined]


def test_the_plan_of_an_entry_is_the_plan_of_its_object(cloud: FakeCloud, uploaded: Put, routes: Any) -> None:
    cloud.routes = routes
    file = uploaded("a/b.jpg", b"meow", "image/jpeg", {"sluice-steps": "facts", "who": "Käthe"})
    entry = replace(index.in_work(Run(file)), verdict="succeeded")

    assert cloud.routes.plan(reprocess._file(entry, cloud)) == cloud.routes.plan(file)


def test_one_changed_step_of_several_is_enough(cloud: FakeCloud, uploaded: Put) -> None:
    give(cloud, plan(step("a", "q1", flavour="new"), step("b", "q1", flavour="new")))
    work(OLD, cloud, uploaded("a.jpg", b"meow"))

    assert names(changed(cloud, steps=("a",))) == ["a.jpg"]
