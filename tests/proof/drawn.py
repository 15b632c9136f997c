"""Draws plans of any shape, and plans that a changed configuration would give the same file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from shared import model  # whole: a mutant replaces its `recipe`
from shared.model import Recipe
from shared.plan import FILE, Condition, Plan, PlannedStep
from tests.proof import scripted
from tests.proof.scripted import DIE, FAIL, OK, RAISE, TRANSIENT

MAX_STEPS = 8
QUEUES = ("q1", "q2", "q3", "q4", "q5")
#: A healthy step survives this many attempts that crash, and more.
ATTEMPTS = (3, 5)


def plan(draw: Random, most: int = MAX_STEPS) -> Plan:
    """A plan of 1 to `most` steps: a random graph with queues, inputs, conditions and scripts."""
    names = draw.sample("abcdefgh", draw.randint(1, most))
    queues = draw.sample(QUEUES, draw.choice((1, 2, 2, 3, len(QUEUES))))
    attempts = {queue: draw.choice(ATTEMPTS) for queue in queues}
    density, conditions = draw.choice((0.2, 0.4, 0.8)), draw.choice((0.1, 0.5))
    steps: list[PlannedStep] = []
    for name in names:
        queue = draw.choice(queues)
        after = tuple(step.name for step in steps if draw.random() < density)
        made = _recipe(draw, name, [step.recipe for step in steps if step.name in after], attempts[queue])
        fault = "the script says so" if draw.random() < 0.04 else ""
        when = _condition(draw, steps, after) if draw.random() < conditions else None
        steps.append(PlannedStep(made, queue, attempts[queue], after, when, fault))
    return Plan(tuple(steps))


def changed(draw: Random, old: Plan) -> Plan:
    """The plan after a change of pipeline.toml: other recipes, other queues, fewer steps, none, or another."""
    kind = draw.choice(("recipe", "recipe", "queue", "queue", "fewer", "fewer", "none", "other"))
    if kind == "none" or not old.steps:
        return Plan()
    if kind == "other":
        return plan(draw, 4)
    if kind == "fewer":
        return _without(old, draw.choice(old.steps).name)
    makers = [step.recipe.input.partition("/")[0] for step in old.steps if step.recipe.input]
    chosen = draw.choice(makers or [step.name for step in old.steps])
    if kind == "queue":
        return Plan(tuple(replace(step, queue="q9") if step.name == chosen else step for step in old.steps))
    return _salted(old, chosen)


def _recipe(draw: Random, name: str, before: Sequence[Recipe], attempts: int) -> Recipe:
    made_by = draw.choice(before) if before and draw.random() < 0.45 else None
    options = {
        "step": name,
        "salt": 0,
        "script": _script(draw, attempts),
        "facts": {"n": draw.randint(0, 3), "page": {"width": draw.choice((10, 20))}},
        "outputs": [str(number) for number in range(draw.choice((0, 1, 1, 2)))],
    }
    if made_by is None:
        return model.recipe(name, scripted.NAME, scripted.VERSION, options)
    outputs = made_by.options["outputs"] or ["0"]
    taken = f"{made_by.step}/{draw.choice((*outputs, *outputs, 'missing')) if draw.random() < 0.2 else outputs[0]}"
    return model.recipe(name, scripted.NAME, scripted.VERSION, options, input=taken, made_by=made_by.recipe_id)


def _script(draw: Random, attempts: int) -> list[str]:
    """Outcomes of each try. Before a good end fewer tries cost an attempt than the step has: the verdict is sure."""
    if draw.random() < 0.6:
        return [OK]
    bad = [draw.choice((DIE, RAISE)) for _ in range(draw.choice((0, 0, 1, attempts - 1)))]
    tries = bad + [TRANSIENT] * draw.choice((0, 0, 1, 3))
    draw.shuffle(tries)
    return [*tries, draw.choice((OK, OK, OK, FAIL, DIE, RAISE))]


def _condition(draw: Random, steps: Sequence[PlannedStep], after: Sequence[str]) -> Condition:
    before = sorted(_before(steps, after))
    step = draw.choice((*before, *before, FILE))
    if step == FILE:
        return draw.choice((Condition(FILE, "size", {"max": 1 << 20}), Condition(FILE, "metadata.kind", {"is": "scan"})))
    fact = draw.choice(("n", "n", "page.width", "missing"))
    low = draw.randint(0, 2)
    tests: tuple[Mapping[str, Any], ...] = ({"min": low}, {"max": low}, {"min": low, "max": 20}, {"is": 10}, {"in": [1, 2, 20]})
    return Condition(step, fact, draw.choice(tests))


def _before(steps: Sequence[PlannedStep], after: Sequence[str]) -> set[str]:
    """The steps before a step, at any distance."""
    found = set(after)
    for step in reversed(steps):
        if step.name in found:
            found |= set(step.after)
    return found


def _without(old: Plan, name: str) -> Plan:
    """The plan without a step and those after it."""
    gone = {name}
    for step in old.steps:
        if gone & set(step.after):
            gone.add(step.name)
    return Plan(tuple(step for step in old.steps if step.name not in gone))


def _salted(old: Plan, name: str) -> Plan:
    """The plan with another option of one step, and so with other recipes of those that take its outputs."""
    steps: dict[str, PlannedStep] = {}
    for step in old.steps:
        exact = step.recipe
        options = {**exact.options, "salt": 1} if step.name == name else exact.options
        maker = exact.input.partition("/")[0]
        made_by = steps[maker].recipe.recipe_id if maker else ""
        made = model.recipe(step.name, exact.processor, exact.version, options, input=exact.input, made_by=made_by)
        steps[step.name] = replace(step, recipe=made)
    return Plan(tuple(steps.values()))
