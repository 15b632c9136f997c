"""The order of steps: which come before a step, in which order a plan lists them, and cycles."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

#: For each step, those that it comes after.
After = Mapping[str, Sequence[str]]


def before(after: After) -> Mapping[str, frozenset[str]]:
    """For each step, all that come before it, directly or not; in a cycle, the step itself too."""
    return {step: frozenset(_reached(step, after)) for step in after}


def _reached(step: str, after: After) -> set[str]:
    found: set[str] = set()
    waiting = list(after[step])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(after.get(name, ()))
    return found


def listed(after: After) -> list[str]:
    """All steps, each after those that it comes after; ties by name. Raises `graphlib.CycleError`."""
    sorter = TopologicalSorter(after)
    sorter.prepare()
    steps: list[str] = []
    while ready := sorted(sorter.get_ready()):
        steps += ready
        sorter.done(*ready)
    return steps


def cycles(after: After) -> Iterator[list[str]]:
    """Cycles that share no pair of neighbours, each in the order of its steps; the first one is repeated.

    Without the pairs of these cycles, the order has no cycle.
    """
    left = {step: set(names) for step, names in after.items()}
    while cycle := _cycle(left):
        yield cycle
        for earlier, later in itertools.pairwise(cycle):
            left[later].discard(earlier)


def _cycle(after: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter({step: sorted(names) for step, names in sorted(after.items())}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
