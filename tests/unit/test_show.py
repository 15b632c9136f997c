"""Showing a file: every run of its newest generation, and the generations before it page by page."""

import time

import pytest

from shared import pipeline
from shared.errors import BadFile, BadRequest, NotFound
from shared.guard import day_of
from shared.model import File, Run
from shared.operations.show import show
from shared.operations.sweep import DAY_SECONDS, GENERATIONS_PER_SECOND
from shared.sweep_part import WINDOW_DAYS
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Counted
from tests.unit.plans import Script, plan, step
from tests.unit.working import Fixed, Uploaded, again, work


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cats/Käthe 1.jpg", b"meow")


def test_all_runs_of_the_newest_generation_are_shown(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"), step("b"))
    script.raises["b"] = BadFile("cut short", "corrupt")
    work(steps, cloud, cat)
    again(cat, steps, cloud)
    script.raises.clear()
    again(cat, steps, cloud)

    found = show(cat.name, cloud)

    assert [(run["run"], run["state"]) for run in found["runs"]] == [(2, "succeeded"), (1, "partial"), (0, "partial")]
    assert (found["object"], found["state"], found["generation"]) == (cat.name, "succeeded", str(cat.generation))
    assert [run["steps"][1]["reason"] for run in found["runs"]] == ["", "corrupt", "corrupt"]
    assert all({"times", "cost"} <= set(run["steps"][1]) for run in found["runs"])


def test_only_outputs_of_the_newest_run_have_addresses(cloud: FakeCloud, cat: File, script: Script) -> None:
    work(plan(step("a")), cloud, cat)
    again(cat, plan(step("a", flavour="x")), cloud)

    newest, first = show(cat.name, cloud)["runs"]

    assert newest["steps"][0]["outputs"][0]["url"] == "https://status.test/objects/cats/K%C3%A4the%201.jpg/a/1.txt"
    assert "url" not in first["steps"][0]["outputs"][0]


def test_a_file_without_a_verdict_has_one_run(cloud: FakeCloud, cat: File) -> None:
    assert [(run["job_id"], run["state"]) for run in show(cat.name, cloud)["runs"]] == [(Run(cat).job_id, "accepted")]


@pytest.mark.parametrize("days_ago", [0, 1, WINDOW_DAYS])
def test_a_task_that_a_sweep_queued_is_found(cloud: FakeCloud, uploaded: Uploaded, days_ago: int) -> None:
    cloud.uploads._generations = iter([(int(time.time()) - WINDOW_DAYS * DAY_SECONDS) * GENERATIONS_PER_SECOND])
    dog = uploaded("dog.jpg", b"woof")
    day = day_of(time.time_ns() // 1000) - days_ago
    pipeline.enlist(Run(dog), cloud.routes.plan(dog), cloud, day)

    assert {step["state"] for step in show(dog.name, cloud)["runs"][0]["steps"]} == {"queued"}


@pytest.mark.parametrize(("days", "calls"), [(0, 2), (3, 5), (WINDOW_DAYS, WINDOW_DAYS + 2), (400, 1)])
def test_a_lost_task_costs_a_call_for_each_day_on_which_it_may_have_been_swept(
    cloud: FakeCloud, uploaded: Uploaded, days: int, calls: int
) -> None:
    """And one for its first name, which alone is asked for while the task waits under it."""
    cloud.uploads._generations = iter([(int(time.time()) - days * DAY_SECONDS) * GENERATIONS_PER_SECOND])
    file = uploaded("dog.jpg", b"woof")
    cloud.routes = Fixed(steps := plan(step("a")))  # type: ignore[assignment]
    cloud.queue = counted = Counted(cloud.queue)  # type: ignore[assignment]
    show(file.name, cloud)
    lost = counted.calls.count("find")
    pipeline.enlist(Run(file), steps, cloud)
    show(file.name, cloud)

    assert (lost, counted.calls.count("find") - lost) == (calls, 1)


def test_the_generations_before_come_by_page(cloud: FakeCloud, cat: File, uploaded: Uploaded, script: Script) -> None:
    work(plan(step("a")), cloud, cat)
    uploaded(cat.name, b"meow meow")

    older = show(cat.name, cloud, show(cat.name, cloud)["older"])

    assert [(job["job_id"], job["state"]) for job in older["jobs"]] == [(Run(cat).job_id, "succeeded")]
    with pytest.raises(BadRequest):
        show(cat.name, cloud, "newest")


def test_an_unknown_name_is_not_found(cloud: FakeCloud) -> None:
    with pytest.raises(NotFound, match="no object 'never'"):
        show("never", cloud)
