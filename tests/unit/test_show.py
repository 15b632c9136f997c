"""Showing a file: every run of its newest generation, and the generations before it page by page."""

import time

import pytest

from shared import pipeline
from shared.errors import BadFile, BadRequest, NotFound
from shared.guard import day_of
from shared.model import File, Run
from shared.operations.show import show
from shared.sweep_part import WINDOW_DAYS
from shared.testing import FakeCloud
from tests.unit.plans import Script, plan, step
from tests.unit.working import Uploaded, again, work


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
def test_a_task_that_a_sweep_or_a_backfill_queued_is_found(cloud: FakeCloud, cat: File, days_ago: int) -> None:
    day = day_of(time.time_ns() // 1000) - days_ago
    pipeline.enlist(Run(cat), cloud.routes.plan(cat), cloud, day)

    assert {step["state"] for step in show(cat.name, cloud)["runs"][0]["steps"]} == {"queued"}


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
