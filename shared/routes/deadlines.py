"""Whether the steps that one file can bring into one task end within the deadline of the pool."""

from collections.abc import Sequence

from shared.plan import PlannedStep
from shared.routes import tasks
from shared.routes.faults import Faults, below
from shared.routes.keys import END_SECONDS, MAX_DEADLINE_SECONDS
from shared.routes.planning import Routes


def check(faults: Faults, routes: Routes) -> None:
    """Add a fault for each queue whose longest task takes more time than its pool gives."""
    longest: dict[str, Sequence[PlannedStep]] = {}
    for queue, steps in tasks.possible(routes):
        longest[queue] = max(longest.get(queue, ()), steps, key=_seconds)
    for queue, steps in sorted(longest.items()):
        pool = routes.pool(queue)
        needed = _seconds(steps) + END_SECONDS
        if needed > pool.deadline_seconds:
            listed = ", ".join(f"{step.name} ({step.limits.seconds} s)" for step in steps)
            longer = f"write at least {needed}, or " if needed <= MAX_DEADLINE_SECONDS else ""
            faults.add(
                f"{below('pools', pool.name)}.deadline_seconds",
                f"{pool.deadline_seconds} is too short for a file that takes the steps {listed} as one task of the queue {queue}, "
                f"and {END_SECONDS} s for the rest",
                f"{longer}lower the `seconds` of these steps, or give some of them another queue",
            )


def _seconds(steps: Sequence[PlannedStep]) -> int:
    return sum(step.limits.seconds for step in steps)
