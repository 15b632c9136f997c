"""Applies a recipe to a file, in this process. The seam for a killable child process with limits of its own."""

from pathlib import Path

from shared import processors
from shared.errors import BadConfiguration, Unavailable
from shared.model import Recipe
from shared.processors import Made


def run(recipe: Recipe, source: Path, workdir: Path) -> Made:
    """Apply the recipe to the file at `source` and return the facts and the drafts, whose files are in `workdir`.

    Raises `BadFile` when the file is at fault, and `Unavailable` for a recipe of another release: during a rollout the queues
    hold tasks of both.
    """
    try:
        processor = processors.find(recipe.processor)
        options = processor.check(recipe.options)
    except BadConfiguration as error:
        raise Unavailable(f"this release cannot run recipe {recipe.recipe_id}: {error.message}") from error
    return processor.run(source, workdir, options)
