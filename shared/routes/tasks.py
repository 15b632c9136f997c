"""The tasks that the routes can make of one file, for checks of time and memory before there is a file."""

from collections.abc import Iterator, Sequence

from shared.plan import PlannedStep
from shared.routes import overlaps
from shared.routes.planning import Routes


def possible(routes: Routes) -> Iterator[tuple[str, Sequence[PlannedStep]]]:
    """Queue and steps of each task that a file may bring.

    A file takes every step of the routes whose content type and name it matches: metadata, sizes, requests and conditions may be
    what they have to be. Of the routes that depend on them, those that move steps to another queue may also not match.
    """
    seen = set()
    for indexes in _taken(routes):
        plan = routes.whole_plan(indexes)
        for place in plan.places:
            steps = plan.steps_at(place)
            task = (place.queue, tuple(step.name for step in steps))
            if task not in seen:
                seen.add(task)
                yield place.queue, steps


def _taken(routes: Routes) -> set[frozenset[int]]:
    """For every content type and name, the indexes of the routes that a file may take."""
    numbered = list(enumerate(routes.routes))
    types = overlaps.sets(pattern for route in routes.routes for pattern in route.content_types)
    names = overlaps.sets(pattern for route in routes.routes for pattern in route.names)
    matched = {
        frozenset(
            index
            for index, route in numbered
            if not some.isdisjoint(route.content_types) and not others.isdisjoint(route.names)
        )
        for some in types
        for others in names
    }
    moving = {index for index, route in numbered if route.queue and (route.metadata or route.max_bytes or route.on_request)}
    return matched | {indexes - moving for indexes in matched}
