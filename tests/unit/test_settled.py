"""Steps that end without work: by the steps before them, their condition, or an option in the file's metadata."""

from dataclasses import replace
from typing import Any

import pytest

from shared import delivery, manifest
from shared.ledger import Manifests
from shared.manifest import Manifest
from shared.model import Place, Result, Run, Verdict
from shared.plan import FILE, Condition, Plan, PlannedStep, Task
from shared.testing import FakeBucket
from tests.unit.plans import CAT, plan, step, task


def ended(name: str, verdict: Verdict = "succeeded", reason: str = "", **facts: Any) -> Result:
    return Result(name, f"{name}-00000000", verdict, reason, facts=facts)


def settled(step: PlannedStep, *before: Result, metadata: dict[str, str] | None = None) -> Result | None:
    """The result of a step without work, after these results."""
    mine = Task(Run(replace(CAT, metadata=metadata or {})), Plan(), Place(0, step.queue))
    return delivery.settled(step, mine, {result.step: result for result in before})


def test_a_step_that_comes_after_nothing_needs_work() -> None:
    assert settled(step("a")) is None


def test_a_step_needs_work_once_all_before_it_have_succeeded() -> None:
    assert settled(step("c", after=("a", "b")), ended("a"), ended("b")) is None


@pytest.mark.parametrize(
    ("verdict", "reason", "expected"),
    [
        ("failed", "corrupt", "after_failed"),
        ("dead", "attempts_used_up", "after_failed"),
        ("gone", "gone", "after_failed"),
        ("superseded", "superseded", "after_failed"),
        ("skipped", "after_failed", "after_failed"),
        ("skipped", "cancelled", "after_failed"),
        ("skipped", "when", "after_skipped"),
        ("skipped", "after_skipped", "after_skipped"),
    ],
)
def test_a_step_is_skipped_after_one_that_did_not_succeed(verdict: Verdict, reason: str, expected: str) -> None:
    one = step("c", after=("a", "b"))

    result = settled(one, ended("a"), ended("b", verdict, reason))

    assert result == Result("c", one.recipe.recipe_id, "skipped", expected, f"it comes after b ({verdict})")


def test_a_failure_counts_beside_a_false_condition() -> None:
    result = settled(step("c", after=("a", "b")), ended("a", "skipped", "when"), ended("b", "failed", "corrupt"))

    assert result is not None
    assert (result.reason, result.message) == ("after_failed", "it comes after a (skipped), b (failed)")


@pytest.mark.parametrize(
    ("condition", "facts", "is_wanted"),
    [
        (Condition("a", "width_px", {"min": 640}), {"width_px": 640}, True),
        (Condition("a", "width_px", {"min": 640}), {"width_px": 639}, False),
        (Condition("a", "width_px", {"min": 640}), {}, False),
        (Condition("a", "page.width", {"max": 600}), {"page": {"width": 595}}, True),
        (Condition("a", "page.width", {"max": 600}), {"page": {"width": 601}}, False),
        (Condition("a", "format", {"in": ["png", "gif"]}), {"format": "gif"}, True),
        (Condition("a", "format", {"is": "png"}), {"format": "gif"}, False),
    ],
)
def test_a_condition_tests_the_facts_of_a_step_before(condition: Condition, facts: dict[str, Any], is_wanted: bool) -> None:
    one = step("b", after=("a",), when=condition)

    assert (settled(one, ended("a", **facts)) is None) is is_wanted


@pytest.mark.parametrize(
    ("condition", "is_wanted"),
    [
        (Condition(FILE, "size", {"min": 1234}), True),
        (Condition(FILE, "size", {"max": 1233}), False),
        (Condition(FILE, "name", {"is": "cat.jpg"}), True),
        (Condition(FILE, "content_type", {"in": ["image/png"]}), False),
        (Condition(FILE, "metadata.tenant", {"is": "zoo"}), True),
        (Condition(FILE, "metadata.tenant", {"is": "farm"}), False),
        (Condition(FILE, "metadata.none", {"is": "zoo"}), False),
    ],
)
def test_a_condition_tests_the_file_itself(condition: Condition, is_wanted: bool) -> None:
    assert (settled(step("a", when=condition), metadata={"tenant": "zoo"}) is None) is is_wanted


def test_a_false_condition_is_explained_by_the_fact() -> None:
    one = step("b", after=("a",), when=Condition("a", "width_px", {"min": 640}))

    result = settled(one, ended("a", width_px=80))

    assert result == Result("b", one.recipe.recipe_id, "skipped", "when", "its condition is false: a.width_px is 80")


def test_a_long_fact_is_cut_in_the_explanation() -> None:
    result = settled(step("b", after=("a",), when=Condition("a", "text", {"is": "x"})), ended("a", text="y" * 60_000))

    assert result is not None
    assert result.message == f'its condition is false: a.text is "{"y" * 79}'


def test_a_step_before_that_failed_comes_before_a_false_condition() -> None:
    result = settled(step("b", after=("a",), when=Condition("a", "width_px", {"min": 640})), ended("a", "failed", "corrupt"))

    assert result is not None
    assert result.reason == "after_failed"


def test_a_bad_option_fails_its_step_under_the_configured_recipe() -> None:
    one = step("a", fault="sluice-a-sizes: 'huge' is not allowed; send whole numbers")

    assert settled(one) == Result("a", one.recipe.recipe_id, "failed", "bad_option", one.fault)


def test_a_bad_option_of_a_step_that_is_not_wanted_does_not_matter() -> None:
    result = settled(step("a", fault="sizes: 'huge'", when=Condition(FILE, "size", {"max": 1})))

    assert result is not None
    assert (result.verdict, result.reason) == ("skipped", "when")


def foregone(steps: Plan, place: Place, *before: Manifest) -> list[Result] | None:
    manifests = Manifests(FakeBucket("results"), Run(CAT), steps)
    for one in before:
        manifests.add(one)
    return delivery.foregone(task(steps, place), manifests)


def committed(steps: Plan, place: Place, *results: Result) -> Manifest:
    return manifest.of_task(task(steps, place), results, "2026-01-15T10:00:00.000Z")


PAIR = plan(step("a", "q1"), step("b", "q2", after=("a",)), step("c", "q2", after=("b",)))
FIRST, SECOND = PAIR.places


def test_a_task_with_a_step_that_can_run_is_not_foregone() -> None:
    assert foregone(PAIR, SECOND, committed(PAIR, FIRST, ended("a"))) is None


def test_a_task_whose_steps_cannot_run_is_foregone() -> None:
    results = foregone(PAIR, SECOND, committed(PAIR, FIRST, ended("a", "failed", "corrupt")))

    assert results is not None
    assert [(result.step, result.verdict, result.reason) for result in results] == [
        ("b", "skipped", "after_failed"),
        ("c", "skipped", "after_failed"),
    ]


def test_one_step_that_can_run_keeps_a_task_in_the_queue() -> None:
    steps = plan(
        step("a", "q1"), step("b", "q2", after=("a",), when=Condition("a", "n", {"min": 1})), step("c", "q2", after=("a",))
    )

    assert foregone(steps, Place(1, "q2"), committed(steps, Place(0, "q1"), ended("a", n=0))) is None


def test_a_condition_may_test_a_step_further_back() -> None:
    steps = plan(
        step("a", "q1"),
        step("b", "q2", after=("a",)),
        step("c", "q3", after=("b",), when=Condition("a", "width_px", {"min": 640})),
    )
    first, second, last = steps.places
    before = committed(steps, second, ended("b"))

    wide = foregone(steps, last, before, committed(steps, first, ended("a", width_px=640)))
    narrow = foregone(steps, last, before, committed(steps, first, ended("a", width_px=80)))

    assert wide is None
    assert narrow is not None
    assert [result.reason for result in narrow] == ["when"]
