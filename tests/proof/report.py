"""The parts of `make proof`: each plays its runs, prints its counts, and returns what failed."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proof import crash_points as crash_points_of
from tests.proof import drawn, schedules
from tests.proof.crash_points import Points
from tests.proof.deliveries import Fault
from tests.proof.mutants import MUTANTS
from tests.proof.planting import Mutant
from tests.proof.shapes_of_runs import all_shapes


def oracle(examples: int) -> list[str]:
    """Draw plans by Hypothesis and compare how they end with the oracle."""
    seen: set[str] = set()

    @given(st.randoms(use_true_random=False))
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    def agree(draw: Random) -> None:
        plan = drawn.plan(draw)
        seen.add(plan.plan8)
        assert schedules.differences(plan) == {}

    agree()
    print(f"oracle: {examples} runs, {len(seen)} distinct plans: the handlers and the oracle agree")
    return []


def faults(runs: int, seed: int) -> list[str]:
    """Play runs with faults in both tiers; a failure comes as the command that plays it again."""
    counts: Counter[str] = Counter()
    plans: set[str] = set()
    failed = []
    for number, tier in itertools.product(range(seed, seed + runs // 2), schedules.TIERS):
        outcome = schedules.play(schedules.draw(number, tier))
        counts += outcome.world.counts
        plans |= outcome.world.checks.plans()
        claims = outcome.world.checks.runs.claims.values()
        counts += Counter({"later runs": len(claims), "adopted": sum(len(claim["adopted"]) for claim in claims)})
        if outcome.violation:
            failed.append(f"{outcome.violation}: make proof ARGS='--replay {tier}:{number}'")
    shown = ", ".join(f"{name} {counts[name]}" for name in sorted(counts))
    print(f"faults: {runs} runs from seed {seed}, {len(plans)} distinct plans; {shown}")
    if failed:
        print(f"faults: {len(failed)} runs wrong")
    else:
        print(f"faults: no violation; with 95 % confidence fewer than {3 / runs:.2%} of such runs have one (3/n)")
    return failed


def crash_points(only: str = "") -> list[str]:
    """Play a fault at every effect of every shape, or of one, and two faults at every two effects."""
    failed, runs = [], 0
    for name, shape in {only: all_shapes()[only]}.items() if only else all_shapes().items():
        points = Points(shape)
        found = itertools.chain(points.single(), points.repeats(), points.pairs())
        failed += [f"{name}:{fault}" for fault in found]
        runs += points.runs
        print(f"crash points: {name}: {points.effects - points.start} effects, {points.runs} runs", flush=True)
    print(f"crash points: {runs} runs, {len(failed)} of them wrong")
    return failed


def mutants(budget: int, chosen: Sequence[Mutant] = MUTANTS) -> list[str]:
    """Play each mutant until it is found out, in either tier or at crash points of its shape; returns the survivors."""
    survivors: list[str] = []
    for mutant in chosen:
        with mutant.planted():
            kill = next(_at_crash_points(mutant.shape) if mutant.shape else _in_runs(budget), "")
        print(f"mutant {mutant.name}: {kill or 'SURVIVES'}", flush=True)
        survivors += [] if kill else [f"mutant {mutant.name} survives: {mutant.why}"]
    print(f"mutants: {len(chosen)} planted, {len(chosen) - len(survivors)} found out")
    return survivors


def _in_runs(budget: int) -> Iterator[str]:
    for number, tier in itertools.product(range(budget), schedules.TIERS):
        violation = schedules.play(schedules.draw(number, tier)).violation
        if violation:
            yield f"{tier}: run {number + 1}, {violation}"


def _at_crash_points(shape: str) -> Iterator[str]:
    points = Points(all_shapes()[shape])
    if points.violation:
        yield f"{shape}, without faults: {points.violation}"
    yield from (f"{shape}:{fault}" for fault in itertools.chain(points.single(), points.pairs()))


def replay(token: str) -> list[str]:
    """Play a run again, `<tier>:<number>` or `<shape>:<fault>,…`, and print its shortest schedule."""
    schedule = _schedule(token)
    violation = schedules.play(schedule).violation
    if violation:
        schedule = schedules.shrink(schedule, violation)
    outcome = schedules.play(schedule)
    for number_of_plan, plan in enumerate(schedule.plans):
        print(f"plan {number_of_plan} ({plan.plan8})")
        for step in plan.steps:
            options = step.recipe.options
            print(f"  {step.name} at {plan.place_of[step.name]} after {list(step.after)}, input {step.recipe.input!r}", end="")
            print(f", when {step.when.to_json() if step.when else None}, attempts {step.attempts}, {dict(options)}")
    print(f"door: {schedule.door}; faults: {', '.join(map(str, schedule.faults)) or 'none'}")
    print("\n".join(outcome.world.trace))
    print(outcome.violation or "no violation")
    return [outcome.violation] if outcome.violation else []


def _schedule(token: str) -> schedules.Schedule:
    name, _, rest = token.partition(":")
    if name in schedules.TIERS:
        return schedules.draw(int(rest), name)
    return crash_points_of.schedule(all_shapes()[name], tuple(Fault.parse(one) for one in rest.split(",") if one))
