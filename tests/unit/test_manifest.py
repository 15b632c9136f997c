"""Manifests as they are stored, and the verdict of a job."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared import manifest
from shared.manifest import Job, Manifest, PlannedRun
from shared.model import Place, Result, Run, Verdict, canonical
from shared.plan import Plan
from tests.unit.plans import CAT, chain, join, plan, step, task
from tests.unit.releases import extended

TIME = "2026-01-15T10:00:00.000Z"
CHAIN = chain()
FIRST = task(CHAIN, Place(0, "q1"), file=replace(CAT, metadata={"who": "Käthe"}), run=2)


def ended(name: str, verdict: Verdict, reason: str = "") -> Result:
    return Result(name, f"{name}-00000000", verdict, reason)


def test_a_manifest_is_stored_as_in_the_first_release() -> None:
    body = manifest.of_task(FIRST, [ended("a", "failed", "corrupt")], TIME).body

    assert json.loads(canonical(body)) == {
        "kind": "manifest",
        "job": {
            "job_id": Run(FIRST.file, 2).job_id,
            "file_id": CAT.file_id,
            "run": 2,
            "file": FIRST.file.to_json(),
        },
        "stage": 0,
        "queue": "q1",
        "plan": json.loads(canonical(CHAIN.to_json())),
        "time": TIME,
        "steps": [
            {
                "step": "a",
                "recipe_id": "a-00000000",
                "recipe": json.loads(canonical(CHAIN.by_name["a"].recipe.to_json())),
                "verdict": "failed",
                "reason": "corrupt",
                "message": "",
                "attempt": 0,
                "facts": {},
                "outputs": [],
                "times": {},
                "cost": {},
                "adopted": "",
            }
        ],
    }


def test_a_manifest_gives_back_what_it_was_made_of() -> None:
    result = replace(ended("a", "succeeded"), facts={"width_px": 640})
    stored = json.loads(canonical(manifest.of_task(FIRST, [result], TIME).body))

    found = manifest.read(stored)

    assert isinstance(found, Manifest)
    assert (found.run, found.plan, found.place, found.time) == (FIRST.run, CHAIN, FIRST.place, TIME)
    assert found.results == {"a": result}


def test_the_plan_of_a_run_gives_back_what_it_was_made_of() -> None:
    found = manifest.read(json.loads(canonical(manifest.of_plan(FIRST.run, join()).body)))

    assert isinstance(found, PlannedRun)
    assert (found.run, found.plan) == (FIRST.run, join())


def test_a_file_without_tasks_carries_its_verdict_itself() -> None:
    found = manifest.of_no_task(Run(CAT), "failed", "too_large", "the file has 9 bytes; the limit is 8", TIME)

    assert (found.plan, found.steps, found.results) == (Plan(), [], {})
    assert (found.body["verdict"], found.body["reason"]) == ("failed", "too_large")
    assert (Job([found]).verdict, Job([found]).time) == ("failed", TIME)


@pytest.mark.parametrize(
    "body",
    [
        manifest.of_task(FIRST, [ended("a", "succeeded")], TIME).body,
        manifest.of_no_task(Run(CAT), "skipped", "empty", "the file has no bytes", TIME).body,
        manifest.of_plan(Run(CAT), join()).body,
    ],
    ids=["manifest", "no task", "plan"],
)
def test_what_a_newer_release_wrote_can_be_worked_through(body: dict[str, Any]) -> None:
    newer, ours = manifest.read(extended(json.loads(canonical(body)))), manifest.read(body)

    assert (type(newer), newer.run, newer.plan) == (type(ours), ours.run, ours.plan)
    if isinstance(newer, Manifest) and isinstance(ours, Manifest):
        assert (newer.place, newer.results) == (ours.place, ours.results)


@pytest.mark.parametrize(
    ("verdicts", "job"),
    [
        ("succeeded", "succeeded"),
        ("succeeded succeeded", "succeeded"),
        ("succeeded failed", "partial"),
        ("succeeded dead", "partial"),
        ("succeeded skipped/after_failed", "partial"),
        ("succeeded skipped/cancelled", "partial"),
        ("failed failed", "failed"),
        ("failed dead", "dead"),
        ("failed skipped/after_failed", "failed"),
        ("dead skipped/after_failed", "dead"),
        ("skipped/cancelled", "skipped"),
        ("superseded gone", "superseded"),
        ("superseded succeeded dead", "superseded"),
        ("gone succeeded", "gone"),
        ("gone failed skipped/after_failed", "gone"),
        ("skipped/when", "skipped"),
        ("skipped/when skipped/after_skipped", "skipped"),
        ("succeeded skipped/when", "succeeded"),
        ("succeeded skipped/when skipped/after_skipped", "succeeded"),
        ("failed skipped/when", "failed"),
        ("gone skipped/when", "gone"),
        ("", "skipped"),
    ],
)
def test_a_job_ends_as_its_steps_do(verdicts: str, job: Verdict) -> None:
    results = [Result("a", "a-0", *ending.split("/")) for ending in verdicts.split()]  # type: ignore[arg-type]

    assert manifest.verdict(results) == job
    assert manifest.verdict(results[::-1]) == job


def test_a_job_spans_the_manifests_of_all_its_tasks() -> None:
    steps = plan(step("a", "q1"), step("b", "q2"))
    first = manifest.of_task(task(steps, Place(0, "q1")), [ended("a", "succeeded")], "2026-01-15T10:00:01.000Z")
    last = manifest.of_task(task(steps, Place(0, "q2")), [ended("b", "failed", "corrupt")], "2026-01-15T10:00:02.000Z")

    assert Job([first, last]).verdict == "partial"
    assert Job([last, first]).time == "2026-01-15T10:00:02.000Z"


def test_a_job_has_the_reasons_of_its_steps_but_those_that_follow_from_others() -> None:
    skipped = [{"reason": reason} for reason in ("when", "after_skipped", "after_failed")]

    assert manifest.reasons([{}, {"reason": "corrupt"}, {"reason": "cancelled"}, {"reason": "corrupt"}, *skipped]) == (
        "corrupt,cancelled"
    )
