"""Runs one step outside the sandbox, and checks at start-up that the settings have what such steps need."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shared import capacity, processors
from shared.errors import BadConfiguration, BadFile, Unavailable
from shared.model import Limits, Recipe
from shared.outside import reach
from shared.outside.reach import Reach
from shared.plan import PlannedStep
from shared.processors import Made, Processor
from shared.routes import Routes, tasks
from shared.settings import Settings

if TYPE_CHECKING:  # only the processor loads the sandbox; deploy.sh checks settings where no client is installed
    from shared.cloud.protocols import Cloud
    from shared.sandbox.outcome import Ran


def concerns(recipe: Recipe) -> bool:
    """Whether this step runs outside the sandbox. The sandbox refuses one of another release."""
    try:
        return processors.find(recipe.processor).outside is not None
    except BadConfiguration:
        return False


def run(recipe: Recipe, source: Path, folder: Path, limits: Limits, cloud: "Cloud") -> "Ran":
    """Apply the recipe to the file at `source`, in an empty folder, within the limits of time and outputs.

    Raises `Unavailable` where the settings lack what the step needs, and what its processor raises but for `BadFile`.
    """
    from shared.sandbox.outcome import Ran
    from shared.sandbox.service import checked

    processor, exact, started = processors.find(recipe.processor), checked(recipe), time.thread_time()
    mine = replace(_reach(processor, exact, cloud.settings), limits=limits, deadline=time.monotonic() + limits.seconds)
    outcome: Made | BadFile
    try:
        outcome = processor.run(source, folder, exact.options, reach=replace(mine, token=cloud.identity_token))
    except BadFile as error:
        outcome = error
    return Ran(time.thread_time() - started, 0, outcome)


def _reach(processor: Processor, recipe: Recipe, settings: Settings) -> Reach:
    try:
        found = reach.of(settings)
        _ready(processor, recipe, found)
    except BadConfiguration as error:
        raise Unavailable(f"this service cannot run recipe {recipe.recipe_id}: {error.message}") from error
    return found


def _ready(processor: Processor, recipe: Recipe, found: Reach) -> None:
    if processor.outside:
        processor.outside(processor.options(**recipe.options), found)


def check(routes: Routes, settings: Settings) -> None:
    """Check what the steps of this service's pool need. Raises `BadConfiguration` naming every step and setting."""
    pool, found = capacity.served(routes, settings.pool), reach.of(settings)
    mine = {step.name: step for queue, steps in tasks.possible(routes) if routes.pool(queue) == pool for step in steps}
    faults = [fault for step in mine.values() for fault in _faults(step, found)]
    if faults:
        raise BadConfiguration("\n".join(faults))


def _faults(step: PlannedStep, found: Reach) -> Iterator[str]:
    try:
        _ready(processors.find(step.recipe.processor), step.recipe, found)
    except BadConfiguration as error:
        yield f"steps.{step.name}: {error.message}"
