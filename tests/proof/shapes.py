"""Plans written by hand, one for each shape that the protocol treats in its own way."""

from collections.abc import Sequence
from typing import Any

from shared import model  # whole: a mutant replaces its `recipe`
from shared.plan import Condition, Plan, PlannedStep
from tests.proof import scripted
from tests.proof.scripted import DIE, FAIL, OK, RAISE, TRANSIENT

ATTEMPTS = 5
_OPTIONS = {"salt": 0, "script": [OK], "facts": {"n": 1}, "outputs": ["0"]}


def plan(*steps: dict[str, Any]) -> Plan:
    """A plan of these steps.

    Each has `name` and `queue`, and may have `after`, `when`, options of the script, and `input`, a step whose output `0` it takes.
    """
    made: dict[str, PlannedStep] = {}
    for step in steps:
        options = {"step": step["name"], **{key: step.get(key, value) for key, value in _OPTIONS.items()}}
        maker = step.get("input", "")
        taken = {"input": f"{maker}/0", "made_by": made[maker].recipe.recipe_id} if maker else {}
        exact = model.recipe(step["name"], scripted.NAME, scripted.VERSION, options, **taken)
        made[step["name"]] = PlannedStep(exact, step["queue"], ATTEMPTS, tuple(step.get("after", ())), step.get("when"))
    return Plan(tuple(made.values()))


def _step(name: str, queue: str, after: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    return {"name": name, "queue": queue, "after": after, **more}


SHAPES = {
    "one-task": plan(_step("a", "q1")),
    "one-task-of-two-steps": plan(_step("a", "q1"), _step("b", "q1", "a", input="a")),
    "chain": plan(_step("a", "q1"), _step("b", "q2", "a", input="a")),
    "two-first-tasks": plan(_step("a", "q1"), _step("b", "q2", script=[FAIL])),
    "join": plan(_step("a", "q1"), _step("b", "q2"), _step("c", "q3", "ab", input="b")),
    "diamond-with-a-condition": plan(
        _step("a", "q1"),
        _step("b", "q2", "a", when=Condition("a", "n", {"min": 2})),
        _step("c", "q3", "a", input="a"),
        _step("d", "q1", "c", when=Condition("a", "n", {"max": 2})),
        _step("e", "q2", "bc"),
    ),
    "fork-with-a-skipped-branch": plan(
        _step("a", "q1"), _step("b", "q2", "a"), _step("c", "q3", "a", when=Condition("a", "n", {"min": 2}))
    ),
    "forks-around-a-join": plan(
        _step("a", "q1"), _step("b", "q2", script=[FAIL]), _step("c", "q3", "a"), _step("d", "q4", "ab"), _step("e", "q5", "b")
    ),
    "skipped-to-the-end": plan(
        _step("a", "q1", script=[FAIL]), _step("b", "q2", "a"), _step("c", "q3", "b"), _step("d", "q1", "ac")
    ),
    "nothing-to-do": Plan(),
    "several-steps-with-attempts": plan(
        _step("c", "q1", script=[RAISE]),
        _step("a", "q1", script=[DIE, OK]),
        _step("b", "q1", script=[TRANSIENT, OK]),
        _step("d", "q2", "b", script=[RAISE, OK]),
    ),
}


def changes() -> dict[str, tuple[Plan, Plan]]:
    """Plans of one file before and after a change of pipeline.toml, made anew: a mutant may make other recipes."""
    one_task, chain = [_step("a", "q1"), _step("b", "q1", "a", input="a")], [_step("a", "q1"), _step("b", "q2", "a", input="a")]
    return {
        "another-recipe": (plan(*one_task), plan(_step("a", "q1", salt=1), *one_task[1:])),
        "another-queue": (plan(*chain), plan(_step("a", "q9"), *chain[1:])),
        "one-first-task-then-two": (plan(*chain), plan(chain[0], _step("c", "q2"))),
        "two-first-tasks-then-one": (plan(chain[0], _step("c", "q2")), plan(*chain)),
    }
