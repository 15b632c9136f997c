"""Draws whole runs from a seed, plays them, and shrinks those that fail."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from shared import attempts, clock, log
from shared import settings as configuration
from shared.model import Run
from shared.plan import Plan
from tests.proof import drawn, oracle, scripted, states
from tests.proof.deliveries import Fault
from tests.proof.faults import REQUESTS
from tests.proof.runs import CANCEL, Violation
from tests.proof.swaps import swapped
from tests.proof.world import SETTINGS, World

#: Faults that a repeat heals, without any sweep.
HEALED_BY_REPEATS = (
    *("crash", "crash", "switch", "stall", "duplicate", "reorder", "redeliver"),
    *("unavailable", "unsure", "configure", "guard", "forget", "overwrite", "delete", "cancel"),
)
#: ... and those that need one.
HEALED_BY_SWEEPS = ("lose", "exhaust", "exhaust", "healing")
TIERS = ("repeats", "sweeps")
MAX_FAULTS = 7
MAX_SWEEPS = 4
EFFECTS_PER_TASK = 12
#: The tasks of a run are queued within this many effects, where another configuration does most harm.
FIRST_EFFECTS = 12
#: A file system in memory, where there is one: removing folders on a disk takes most of the time.
MEMORY = "/dev/shm"


@dataclass(frozen=True)
class Schedule:
    """One run: the plans that the configuration has in turn, the way in, and the faults."""

    tier: str
    plans: tuple[Plan, ...]
    door: str
    data: bytes
    faults: tuple[Fault, ...]
    #: the void attempts after which not each delivery leaves notes
    free_voids: int = attempts.FREE_VOIDS
    #: requests of operators, each with the number of its plan: of several that act at once when all is at rest, in turn
    requests: tuple[tuple[tuple[str, int], ...], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a run went. `violation` is empty where all held."""

    violation: str
    world: World


def draw(seed: int, tier: str) -> Schedule:
    """The schedule of this seed."""
    random = Random(f"{tier} {seed}")
    first = drawn.plan(random, random.choice((1, 2, 2, 3, 3, 4, 5, 8)))
    plans = [first, *(drawn.changed(random, first) for _ in range(random.choice((0, 1, 1, 2))))]
    random.shuffle(plans)
    length = 8 + EFFECTS_PER_TASK * max(len(plan.places) for plan in plans)
    faults = [*_faults(random, tier, length), *(_reconfigurations(random) if len(plans) > 1 else ())]
    data = b"" if random.random() < 0.02 else b"file %d%s" % (seed, b"." * (seed % 2))
    door, free_voids = random.choice(("bucket", "post")), random.choice((1, attempts.FREE_VOIDS))
    requests = tuple(_requests(random) for _ in range(random.choice((0, 1, 1, 2))))
    faults += _faults_of_reruns(random, length) if requests else ()
    return Schedule(tier, tuple(plans), door, data, tuple(sorted(faults, key=lambda one: one.at)), free_voids, requests)


def _faults(random: Random, tier: str, length: int) -> Iterator[Fault]:
    kinds = HEALED_BY_REPEATS + (HEALED_BY_SWEEPS if tier == "sweeps" else ())
    for _ in range(random.randint(1, MAX_FAULTS)):
        yield Fault(random.randrange(length), random.choice(kinds), random.randrange(6))
    if random.random() < 0.4:  # deliveries that take turns at many effects
        density = random.choice((0.2, 0.5, 0.9))
        yield from (Fault(at, "switch", random.randrange(4)) for at in range(length) if random.random() < density)


def _requests(random: Random) -> tuple[tuple[str, int], ...]:
    return tuple((random.choice((*REQUESTS, CANCEL)), random.randrange(3)) for _ in range(random.choice((1, 1, 2))))


def _faults_of_reruns(random: Random, length: int) -> Iterator[Fault]:
    """Faults also after the first run has ended."""
    for _ in range(random.randint(0, MAX_FAULTS)):
        kind = random.choice(("crash", "switch", "switch", "unsure", "configure", "rerun", "cancel", "forget", "duplicate"))
        yield Fault(random.randrange(3 * length), kind, random.randrange(6))
    if random.random() < 0.4:  # operators that take turns
        yield from (Fault(at, "switch", random.randrange(4)) for at in range(3 * length) if random.random() < 0.5)


def _reconfigurations(random: Random) -> Iterator[Fault]:
    for kind in random.choice(((), ("configure",), ("configure", "redeliver"), ("redeliver", "configure", "configure"))):
        yield Fault(random.randrange(FIRST_EFFECTS), kind, random.randrange(6))


def play(schedule: Schedule) -> Outcome:
    """Play a run to its end, with sweeps where its tier has them."""
    world = World(schedule.plans, schedule.faults, configuration.load(SETTINGS))
    with _surroundings(schedule, world):
        try:
            begin(world, schedule)
            _to_rest(world, schedule.tier)
            for requests in schedule.requests:
                for request, number in requests:
                    world.ask(next(iter(world.checks.files.values())), request, number)
                _to_rest(world, schedule.tier)
        except Violation as violation:
            return Outcome(str(violation), world)
    return Outcome("", world)


def _to_rest(world: World, tier: str) -> None:
    sweeps = world.sweeps
    world.drain()
    while tier == "sweeps" and world.checks.unfinished() and world.sweeps < sweeps + MAX_SWEEPS:
        world.sweep()
        world.drain()
    world.checks.at_rest()


def begin(world: World, schedule: Schedule) -> None:
    """Let the file in."""
    if schedule.door == "post" and schedule.data:
        world.post("file.txt", schedule.data)
    else:
        world.upload("file.txt", schedule.data, {"kind": "scan"})


def shrink(schedule: Schedule, violation: str) -> Schedule:
    """The schedule without the faults that the violation does not need: halves first, then ever smaller parts."""
    size = max(1, len(schedule.faults) // 2)
    while True:
        start = 0
        while start < len(schedule.faults):
            smaller = replace(schedule, faults=schedule.faults[:start] + schedule.faults[start + size :])
            if play(smaller).violation == violation:
                schedule = smaller
            else:
                start += size
        if size == 1:
            return schedule
        size //= 2


def differences(plan: Plan) -> dict[str, tuple[object, object]]:
    """Play a plan without faults: all that differs from the oracle, as (found, expected)."""
    outcome = play(Schedule("repeats", (plan,), "bucket", b"a file", ()))
    (file,) = outcome.world.checks.files.values()
    ended = oracle.results(plan, file, b"a file")
    recipes = {step.name: step.recipe.recipe_id for step in plan.steps}
    found = states.summary(outcome.world.checks) if not outcome.violation else {"violation": outcome.violation}
    job_id = Run(file).job_id
    expected = {
        "claims": {},
        "verdicts": {job_id: oracle.verdict(ended.values())},
        "steps": {job_id: {name: (one.verdict, one.reason, one.facts, "") for name, one in ended.items()}},
        "notices": sorted([job_id, *(f"{job_id}-{recipe}" for recipe in recipes.values())]),
        "objects": {
            f"files/{file.name}/{file.generation}/{recipes[name]}/{output}": data
            for name, one in ended.items()
            for output, data in one.outputs.items()
        },
    }
    return {key: (found.get(key), expected.get(key)) for key in {*found, *expected} if found.get(key) != expected.get(key)}


@contextlib.contextmanager
def _surroundings(schedule: Schedule, world: World) -> Iterator[None]:
    memory = MEMORY if Path(MEMORY).is_dir() else None
    constants = swapped(tempfile, "tempdir", memory), swapped(attempts, "FREE_VOIDS", schedule.free_voids)
    with quiet(), swapped(clock, "now", world.now), constants[0], constants[1], scripted.registered_meanwhile():
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop the log lines of the handlers."""
    with log.sent_to(lambda _: None):
        yield
