"""Whether steps outside the sandbox have a pool of their own, so that no decoder runs beside them."""

from collections.abc import Mapping

from shared import processors
from shared.routes import tasks
from shared.routes.faults import Faults, below
from shared.routes.planning import Routes


def check(faults: Faults, routes: Routes) -> None:
    """Add a fault for each pool that files bring both kinds of steps to."""
    if not any(processors.find(step.recipe.processor).outside for step in routes.steps.values()):
        return
    found: dict[str, dict[bool, str]] = {}
    for queue, steps in tasks.possible(routes):
        for step in steps:
            kinds = found.setdefault(routes.pool(queue).name, {})
            kinds.setdefault(processors.find(step.recipe.processor).outside is not None, f"{step.name} in the queue {queue}")
    for pool, kinds in sorted(found.items()):
        if len(kinds) > 1:
            faults.add(below("pools", pool), _problem(kinds), "give the first one a queue with a pool of its own")


def _problem(kinds: Mapping[bool, str]) -> str:
    return f"takes the step {kinds[True]}, which runs outside the sandbox, and {kinds[False]}, which runs in it"
