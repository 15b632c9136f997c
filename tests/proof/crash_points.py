"""Every effect of every handler as a crash point: whatever is cut off there, the same state comes out."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.proof import schedules, states
from tests.proof.deliveries import Fault
from tests.proof.schedules import Schedule
from tests.proof.shapes import Shape
from tests.proof.world import World

#: Both deliveries that a repeat may follow: counted by the queue, or not.
REPEATS = (0, 1)
#: Faults that end a process. One before a read leaves the same state as one before the next write of that delivery.
ENDS = ("crash", "abandon", "exhaust")


class Points:
    """The crash points of a shape. Where it has later runs, they begin when the first one has ended."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._states: dict[tuple[tuple[str, int], ...], dict[str, Any]] = {}
        self.runs = 0
        self.start = self._calm(()).effects if shape.requests else 0
        calm = self._play()
        #: that of a run without faults
        self.violation = calm.violation
        self.effects = calm.world.effects

    def single(self) -> Iterator[str]:
        """A crash at each effect: what goes wrong, in words."""
        for first in range(self.start, self.effects):
            yield from self._faults(Fault(first, "crash"))

    def repeats(self) -> Iterator[str]:
        """A repeated delivery at each effect, which runs to its end before the first goes on."""
        for first, pick in itertools.product(range(self.start, self.effects), REPEATS):
            yield from self._faults(Fault(first, "duplicate", pick))

    def pairs(self) -> Iterator[str]:
        """A fault at each effect, and another at each effect after it, for each pair of kinds of the shape."""
        calm = self._play().world
        for kind, then in self._shape.pairs:
            for first in _moments(calm, self.start, kind):
                for second in _moments(self._play(Fault(first, kind)).world, first + 1, then):
                    yield from self._faults(Fault(first, kind), Fault(second, then))

    def _faults(self, *faults: Fault) -> Iterator[str]:
        outcome = self._play(*faults)
        if violation := outcome.violation or self._difference(outcome.world):
            yield f"{','.join(map(str, faults))}: {violation}"

    def _difference(self, world: World) -> str:
        """Compare with the run without faults that has the same claims. A cancelled step may have left outputs."""
        if self._shape.is_reconfigured:
            return ""
        calm = self._state(world)
        if states.has_cancelled(world.checks):
            is_calm = states.strays(world.checks).items() <= calm["objects"].items()
        else:
            is_calm = states.summary(world.checks) == calm
        return "" if is_calm else "another state at rest"

    def _state(self, world: World) -> dict[str, Any]:
        """The state after a run without faults in which the operators ask for these runs one after the other."""
        numbers = {plan.plan8: number for number, plan in enumerate(self._shape.plans)}
        key = tuple((claim["request"], numbers[claim["plan"]["id"]]) for claim in world.checks.runs.claims.values())
        if key not in self._states:
            self._states[key] = states.summary(self._calm(key).checks)
        return self._states[key]

    def _calm(self, requests: tuple[tuple[str, int], ...]) -> World:
        return schedules.play(
            replace(schedule(replace(self._shape, faults=())), requests=tuple((one,) for one in requests))
        ).world

    def _play(self, *faults: Fault) -> schedules.Outcome:
        self.runs += 1
        return schedules.play(schedule(self._shape, faults))


def _moments(world: World, start: int, kind: str) -> Iterator[int]:
    """The effects of a run before which a fault of this kind makes a difference."""
    return (number for number in range(start, world.effects) if kind not in ENDS or number in world.decisive)


def schedule(shape: Shape, faults: tuple[Fault, ...] = ()) -> Schedule:
    """The run of this shape with these faults."""
    return Schedule(shape.tier, shape.plans, "bucket", b"a file.", (*shape.faults, *faults), requests=shape.requests)
