"""Draws whole runs from a seed, plays them, and shrinks those that fail."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from shared import clock
from shared import settings as configuration
from shared.model import Run
from shared.plan import Plan
from tests.proof import drawn, oracle
from tests.proof.checks import Violation
from tests.proof.swaps import swapped
from tests.proof.world import SETTINGS, Fault, World

#: Faults that a repeat heals, without any sweep.
HEALED_BY_REPEATS = (
    "crash",
    "switch",
    "duplicate",
    "reorder",
    "redeliver",
    "unavailable",
    "unsure",
    "configure",
    "forget",
    "overwrite",
    "delete",
)
#: ... and those that need one.
HEALED_BY_SWEEPS = ("lose", "lose", "healing")
TIERS = ("repeats", "sweeps")
MAX_FAULTS = 7
MAX_SWEEPS = 4
EFFECTS_PER_TASK = 14


@dataclass(frozen=True)
class Schedule:
    """One run: the plans that the configuration has in turn, the way in, and the faults."""

    tier: str
    plans: tuple[Plan, ...]
    door: str
    data: bytes
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Outcome:
    """How a run went. `violation` is empty where all held."""

    violation: str
    world: World


def draw(seed: int, tier: str) -> Schedule:
    """The schedule of this seed."""
    random = Random(f"{tier} {seed}")
    first = drawn.plan(random, random.choice((1, 2, 3, 4, 5, 8)))
    plans = (first, *(drawn.changed(random, first) for _ in range(random.choice((0, 1, 2)))))
    length = 8 + EFFECTS_PER_TASK * len(first.places)
    kinds = HEALED_BY_REPEATS + (HEALED_BY_SWEEPS if tier == "sweeps" else ())
    faults = [
        Fault(random.randrange(length), random.choice(kinds), random.randrange(6)) for _ in range(random.randint(1, MAX_FAULTS))
    ]
    data = b"" if random.random() < 0.02 else b"file %d" % seed
    return Schedule(
        tier, plans, random.choice(("bucket", "bucket", "post")), data, tuple(sorted(faults, key=lambda one: one.at))
    )


def play(schedule: Schedule) -> Outcome:
    """Play a run to its end, with sweeps where its tier has them."""
    world = World(schedule.plans, schedule.faults, configuration.load(SETTINGS))
    with quiet(), swapped(clock, "now", world.now):
        try:
            begin(world, schedule)
            world.drain()
            while schedule.tier == "sweeps" and world.checks.unfinished() and world.sweeps < MAX_SWEEPS:
                world.sweep()
                world.drain()
            world.checks.at_rest()
        except Violation as violation:
            return Outcome(str(violation), world)
    return Outcome("", world)


def begin(world: World, schedule: Schedule) -> None:
    """Let the file in."""
    if schedule.door == "post" and schedule.data:
        world.post("file.txt", schedule.data)
    else:
        world.upload("file.txt", schedule.data, {"kind": "scan"})


def shrink(schedule: Schedule, violation: str) -> Schedule:
    """The schedule without the faults that the violation does not need."""
    for fault in schedule.faults:
        smaller = replace(schedule, faults=tuple(one for one in schedule.faults if one is not fault))
        if play(smaller).violation == violation:
            schedule = smaller
    return schedule


def differences(plan: Plan) -> dict[str, tuple[object, object]]:
    """Play a plan without faults: what is other than the oracle says, as (found, expected). Empty where all is right."""
    outcome = play(Schedule("repeats", (plan,), "bucket", b"a file", ()))
    (file,) = outcome.world.checks.files.values()
    ended = oracle.results(plan, file, b"a file")
    recipes = {step.name: step.recipe.recipe_id for step in plan.steps}
    found = outcome.world.checks.summary() if not outcome.violation else {"violation": outcome.violation}
    expected = {
        "verdict": oracle.verdict(ended.values()),
        "steps": {name: (one.verdict, one.reason, one.facts) for name, one in ended.items()},
        "notices": sorted([Run(file).job_id, *(f"{Run(file).job_id}-{recipe}" for recipe in recipes.values())]),
        "objects": {
            f"files/{file.name}/{file.generation}/{recipes[name]}/{output}": data
            for name, one in ended.items()
            for output, data in one.outputs.items()
        },
    }
    return {key: (found.get(key), expected.get(key)) for key in {*found, *expected} if found.get(key) != expected.get(key)}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop the log lines of the handlers."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
