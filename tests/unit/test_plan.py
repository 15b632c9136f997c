"""The plan: stages and tasks, their names, and the conditions of steps."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.model import Place, canonical
from shared.plan import FILE, Condition, Plan, Task, file_facts
from tests.unit.plans import CAT, chain, diamond, join, plan, step, task
from tests.unit.releases import extended

WIDE = Condition("a", "width_px", {"min": 640})


def places(*names: str) -> list[Place]:
    return [Place(int(stage), queue) for stage, _, queue in (name.partition("-") for name in names)]


def test_the_id_of_a_plan_is_that_of_the_first_release() -> None:
    assert plan(step("a"), step("b", "q2", after=("a",), input="a/1.txt", when=WIDE)).plan8 == "0cb3cea4"


@pytest.mark.parametrize(
    "other",
    [
        plan(step("a", flavour="x"), step("b", after=("a",))),
        plan(step("a", "q2"), step("b", after=("a",))),
        plan(step("a"), step("b")),
        plan(step("a"), step("b", after=("a",), when=WIDE)),
        plan(step("a"), step("b", after=("a",), fault="sizes: 'x' is no number")),
        plan(step("a"), step("c", after=("a",))),
        plan(step("a")),
    ],
    ids=["options", "queue", "order", "condition", "fault", "name", "fewer steps"],
)
def test_another_plan_has_another_id(other: Plan) -> None:
    assert other.plan8 != plan(step("a"), step("b", after=("a",))).plan8


def test_the_order_of_its_steps_is_not_part_of_a_plans_id() -> None:
    one = plan(step("a"), step("b"), step("c", after=("a", "b")))

    assert plan(step("b"), step("a"), step("c", after=("b", "a"))).plan8 == one.plan8


def test_attempts_are_not_part_of_a_plans_id() -> None:
    assert plan(step("a", attempts=1)).plan8 == plan(step("a", attempts=9)).plan8


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (plan(step("a"), step("b", after=("a",))), places("0-q1")),
        (plan(step("a", "q2"), step("b", "q1")), places("0-q1", "0-q2")),
        (chain(), places("0-q1", "1-q2")),
        (join(), places("0-q1", "0-q2", "1-q3")),
        (diamond(), places("0-q1", "1-q2", "1-q3", "2-q1")),
        (plan(step("a", "q1"), step("b", "q2", after=("a",)), step("c", "q2", after=("b",))), places("0-q1", "1-q2")),
        (Plan(), []),
    ],
    ids=["one queue", "two roots", "chain", "join", "diamond", "shared second task", "empty"],
)
def test_steps_of_the_same_queue_and_stage_are_one_task(steps: Plan, expected: list[Place]) -> None:
    assert steps.places == expected


def test_a_step_is_as_late_as_the_latest_step_before_it() -> None:
    steps = plan(
        step("a", "q1"), step("b", "q2", after=("a",)), step("c", "q1", after=("a", "b")), step("d", "q1", after=("a",))
    )

    assert {name: str(place) for name, place in steps.place_of.items()} == {"a": "0-q1", "b": "1-q2", "c": "2-q1", "d": "0-q1"}
    assert [one.name for one in steps.steps_at(Place(0, "q1"))] == ["a", "d"]


def test_the_first_tasks_come_after_nothing() -> None:
    assert chain().first == places("0-q1")
    assert join().first == places("0-q1", "0-q2")
    assert Plan().first == []


def test_a_task_comes_after_the_tasks_of_the_steps_before_its_own() -> None:
    steps = diamond()

    assert [steps.before(place) for place in steps.places] == [
        [],
        places("0-q1"),
        places("0-q1"),
        places("1-q2", "1-q3"),
    ]
    assert [steps.next(place) for place in steps.places] == [
        places("1-q2", "1-q3"),
        places("2-q1"),
        places("2-q1"),
        [],
    ]


def test_steps_of_one_task_do_not_wait_for_their_own_task() -> None:
    steps = plan(step("a"), step("b", after=("a",)))

    assert steps.before(Place(0, "q1")) == steps.next(Place(0, "q1")) == []


def test_only_an_unbranched_way_back_is_sure_to_be_published() -> None:
    steps = plan(
        step("a", "q1"),
        step("b", "q2", after=("a",)),
        step("c", "q3", after=("b",)),
        step("d", "q4", after=("a", "c")),
        step("e", "q5", after=("d",)),
    )

    assert steps.told_before(Place(2, "q3")) == set(places("0-q1", "1-q2"))
    assert steps.told_before(Place(3, "q4")) == set()
    assert steps.told_before(Place(4, "q5")) == set(places("3-q4"))


def test_a_task_has_the_name_of_its_run_plan_and_stage() -> None:
    steps = chain()
    second = task(steps, Place(1, "q2"))

    assert second.name == f"lxl7ns75i36nil4qpyimr2t7nq-1700000000000001-{steps.plan8}-1"
    assert replace(second, sweep=3).name == f"{second.name}-s3"
    assert task(steps, Place(1, "q2"), run=2).name == f"lxl7ns75i36nil4qpyimr2t7nq-1700000000000001-r2-{steps.plan8}-1"


RICH = plan(step("a", fault="sizes: 'x' is no number"), step("b", "q2", after=("a",), input="a/1.txt", when=WIDE, attempts=7))
WHOLE = replace(RICH, ignored=("sluice-steps: pagez is unknown",))


def test_plans_and_tasks_survive_json() -> None:
    last = task(WHOLE, Place(1, "q2"), file=replace(CAT, metadata={"who": "Käthe"}), run=2, sweep=3)

    assert Plan.from_json(json.loads(canonical(WHOLE.to_json()))) == WHOLE
    assert Task.from_json(json.loads(canonical(last.to_json()))) == last


def test_plans_and_tasks_of_a_newer_release_are_read() -> None:
    for noun in (WHOLE, task(WHOLE, Place(1, "q2"))):
        assert type(noun).from_json(extended(json.loads(canonical(noun.to_json())))) == noun


@pytest.mark.parametrize("change", [{"stage": 7}, {"queue": "q9"}, {"plan": {"steps": []}}])
def test_a_task_that_its_plan_has_not_is_refused(change: dict[str, Any]) -> None:
    body = json.loads(canonical(task(chain()).to_json()))

    with pytest.raises(ValueError, match="the plan has no task"):
        Task.from_json(body | change)


@pytest.mark.parametrize(
    ("test", "value", "holds"),
    [
        ({"is": "png"}, "png", True),
        ({"is": "png"}, "PNG", False),
        ({"is": 1}, 1.0, True),
        ({"is": True}, True, True),
        ({"is": 1}, True, False),
        ({"is": False}, 0, False),
        ({"is": [1]}, [1], True),
        ({"in": ["png", "gif"]}, "gif", True),
        ({"in": ["png", "gif"]}, "jpeg", False),
        ({"in": [1]}, True, False),
        ({"in": []}, "png", False),
        ({"min": 640}, 640, True),
        ({"min": 640}, 639.9, False),
        ({"max": 640}, 640, True),
        ({"max": 640}, 641, False),
        ({"min": 1, "max": 3}, 2, True),
        ({"min": 1, "max": 3}, 4, False),
        ({"min": 1}, "2", False),
        ({"min": 0}, True, False),
        ({"min": 0}, [1], False),
        ({"is": "x"}, None, False),
    ],
)
def test_a_condition_compares_one_fact(test: dict[str, Any], value: Any, holds: bool) -> None:
    assert Condition("a", "fact", test).holds({"fact": value}) is holds


def test_a_missing_fact_passes_no_condition() -> None:
    assert not any(Condition("a", "fact", test).holds({}) for test in ({"is": "x"}, {"in": ["x"]}, {"min": 0}, {"max": 0}))


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("page.width", 595),
        ("page.size.name", "A4"),
        ("a.b", "dotted"),
        ("page", {"width": 595, "size": {"name": "A4"}}),
        ("page.height", None),
        ("page.width.px", None),
        ("page.", None),
        (".page", None),
    ],
)
def test_a_fact_within_a_fact_is_named_by_a_dot(fact: str, value: Any) -> None:
    facts = {"page": {"width": 595, "size": {"name": "A4"}}, "a.b": "dotted"}

    assert Condition("a", fact, {"is": 1}).value(facts) == value


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("name", "cat.jpg"),
        ("size", 1234),
        ("content_type", "image/jpeg"),
        ("metadata.tenant", "zoo"),
        ("metadata.sluice.level", "9"),
        ("metadata.none", None),
        ("generation", None),
    ],
)
def test_conditions_over_the_file_read_its_description(fact: str, value: Any) -> None:
    facts = file_facts(replace(CAT, metadata={"tenant": "zoo", "sluice.level": "9"}))

    assert Condition(FILE, fact, {"is": 1}).value(facts) == value
