"""The steps that a photograph has to ask for so that `verify` gives work to every pool."""

from collections.abc import Sequence

from shared.model import File
from shared.routes import Routes
from shared.routes.definitions import REQUEST


def steps_for_every_pool(routes: Routes) -> list[str]:
    """Steps on request, each of which takes a photograph to a pool that it would not reach without."""
    asked: list[str] = []
    for step in (step for route in routes.routes if route.on_request for step in route.steps):
        if reached(routes, [*asked, step]) > reached(routes, asked):
            asked.append(step)
    return asked


def reached(routes: Routes, asked: Sequence[str]) -> set[str]:
    """The pools that do the steps of a photograph which asks for these."""
    photograph = File("uploads", "verify/photo.jpg", 1, 1, "image/jpeg", "", {REQUEST: ",".join(asked)})
    return {routes.pool(step.queue).name for step in routes.plan(photograph).steps}
