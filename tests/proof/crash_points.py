"""Every effect of every handler as a crash point: whatever is cut off there, the same state comes out."""

from collections.abc import Iterator

from shared.plan import Plan
from tests.proof import schedules
from tests.proof.deliveries import Fault
from tests.proof.schedules import Schedule

#: Both deliveries that a repeat may follow: counted by the queue, or not.
REPEATS = (0, 1)


#: The message is delivered again after a change of pipeline.toml.
CHANGE = (Fault(1, "configure", 1), Fault(1, "redeliver"))


class Points:
    """The crash points of one plan, or of a plan and the one that follows it while the file is under way."""

    def __init__(self, *plans: Plan) -> None:
        self._plans = plans
        self.runs = 0
        calm = self._play()
        #: that of a run without faults
        self.violation = calm.violation
        self.effects, self._state = calm.world.effects, {} if calm.violation else calm.world.checks.summary()

    def single(self) -> Iterator[str]:
        """A crash at each effect: what goes wrong, in words."""
        for first in range(self.effects):
            yield from self._faults(Fault(first, "crash"))

    def pairs(self, kind: str, then: str) -> Iterator[str]:
        """A fault at each effect, and another at each effect after it."""
        for first in range(self.effects):
            for second in range(first + 1, self._play(Fault(first, kind)).world.effects):
                yield from self._faults(Fault(first, kind), Fault(second, then))

    def repeats(self) -> Iterator[str]:
        """A repeated delivery at each effect, which runs to its end before the first goes on."""
        for first in range(self.effects):
            for pick in REPEATS:
                yield from self._faults(Fault(first, "duplicate", pick))

    def _faults(self, *faults: Fault) -> Iterator[str]:
        outcome = self._play(*faults)
        violation = outcome.violation
        if not violation and len(self._plans) == 1 and outcome.world.checks.summary() != self._state:
            violation = "another state at rest"
        if violation:
            yield f"{','.join(map(str, faults))}: {violation}"

    def _play(self, *faults: Fault) -> schedules.Outcome:
        self.runs += 1
        return schedules.play(schedule(self._plans, faults))


def schedule(plans: tuple[Plan, ...], faults: tuple[Fault, ...]) -> Schedule:
    """The run of these plans with these faults."""
    change = CHANGE if len(plans) > 1 else ()
    return Schedule("repeats", plans, "bucket", b"a file", (*change, *faults))
