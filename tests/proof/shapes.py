"""Plans written by hand, one for each shape that the protocol treats in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared import model  # whole: a mutant replaces its `recipe`
from shared.plan import Condition, Plan, PlannedStep
from tests.proof import scripted
from tests.proof.deliveries import Fault
from tests.proof.scripted import DIE, FAIL, OK, RAISE, TRANSIENT

ATTEMPTS = 5
#: Two faults, at every two effects. By a switch another delivery goes on first, and by a stall all others.
CRASHES, TURNS = ("crash", "crash"), ("switch", "stall")
PAIRS = (CRASHES, TURNS)
#: The message is delivered again after a change of pipeline.toml.
CHANGE = (Fault(1, "configure", 1), Fault(1, "redeliver"))
_OPTIONS = {"salt": 0, "script": [OK], "facts": {"n": 1}, "outputs": ["0"]}


@dataclass(frozen=True)
class Shape:
    """The plans that the configuration has in turn, requests of operators as in a schedule, and what always happens.

    `pairs` are the kinds of two faults that are tried at every two effects.
    """

    plans: tuple[Plan, ...]
    requests: tuple[tuple[tuple[str, int], ...], ...] = ()
    faults: tuple[Fault, ...] = ()
    pairs: tuple[tuple[str, str], ...] = PAIRS
    tier: str = "repeats"

    @property
    def is_reconfigured(self) -> bool:
        """Whether any of the plans may win the first run."""
        return any(fault.kind == "configure" for fault in self.faults)


def plan(*steps: dict[str, Any]) -> Plan:
    """A plan of these steps.

    Each has `name` and `queue`, and may have `after`, `when`, options of the script, and `input`, a step whose output `0` it takes.
    """
    made: dict[str, PlannedStep] = {}
    for step in steps:
        options = {"step": step["name"], **{key: step.get(key, value) for key, value in _OPTIONS.items()}}
        maker = step.get("input", "")
        taken: dict[str, Any] = {"input": f"{maker}/0", "made_by": made[maker].recipe.recipe_id} if maker else {}
        exact = model.recipe(step["name"], scripted.NAME, scripted.VERSION, options, **taken)
        made[step["name"]] = PlannedStep(exact, step["queue"], ATTEMPTS, tuple(step.get("after", ())), step.get("when"))
    return Plan(tuple(made.values()))


def step(name: str, queue: str, after: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    return {"name": name, "queue": queue, "after": after, **more}


PLANS = {
    "one-task": plan(step("a", "q1")),
    "one-task-of-two-steps": plan(step("a", "q1"), step("b", "q1", "a", input="a")),
    "chain": plan(step("a", "q1"), step("b", "q2", "a", input="a")),
    "two-first-tasks": plan(step("a", "q1"), step("b", "q2", script=[FAIL])),
    "join": plan(step("a", "q1"), step("b", "q2"), step("c", "q3", "ab", input="b")),
    "diamond-with-a-condition": plan(
        step("a", "q1"),
        step("b", "q2", "a", when=Condition("a", "n", {"min": 2})),
        step("c", "q3", "a", input="a"),
        step("d", "q1", "c", when=Condition("a", "n", {"max": 2})),
        step("e", "q2", "bc"),
    ),
    "fork-with-a-skipped-branch": plan(
        step("a", "q1"), step("b", "q2", "a"), step("c", "q3", "a", when=Condition("a", "n", {"min": 2}))
    ),
    "forks-around-a-join": plan(
        step("a", "q1"), step("b", "q2", script=[FAIL]), step("c", "q3", "a"), step("d", "q4", "ab"), step("e", "q5", "b")
    ),
    "skipped-to-the-end": plan(
        step("a", "q1", script=[FAIL]), step("b", "q2", "a"), step("c", "q3", "b"), step("d", "q1", "ac")
    ),
    "nothing-to-do": Plan(),
    "several-steps-with-attempts": plan(
        step("c", "q1", script=[RAISE]),
        step("a", "q1", script=[DIE, OK]),
        step("b", "q1", script=[TRANSIENT, OK]),
        step("d", "q2", "b", script=[RAISE, OK]),
    ),
    "unavailable-for-a-while": plan(step("a", "q1", script=[*ATTEMPTS * [TRANSIENT], OK])),
}
#: Shapes whose pairs are many, and which differ from the others by their attempts only.
CRASHES_ONLY = ("several-steps-with-attempts", "unavailable-for-a-while")
SHAPES = {name: Shape((one,), pairs=(CRASHES,) if name in CRASHES_ONLY else PAIRS) for name, one in PLANS.items()}


def changes() -> dict[str, Shape]:
    """Plans of one file before and after a change of pipeline.toml, made anew: a mutant may make other recipes."""
    one_task, chain = [step("a", "q1"), step("b", "q1", "a", input="a")], [step("a", "q1"), step("b", "q2", "a", input="a")]
    changed = {
        "another-recipe": (plan(*one_task), plan(step("a", "q1", salt=1), *one_task[1:])),
        "another-queue": (plan(*chain), plan(step("a", "q9"), *chain[1:])),
        "one-first-task-then-two": (plan(*chain), plan(chain[0], step("c", "q2"))),
        "two-first-tasks-then-one": (plan(chain[0], step("c", "q2")), plan(*chain)),
    }
    return {name: Shape(plans, faults=CHANGE) for name, plans in changed.items()}
