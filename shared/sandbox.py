"""Where a recipe meets a file. The seam behind which the work will move into a killable child with limits of its own."""

from pathlib import Path

from shared import processors
from shared.errors import BadConfiguration, Unavailable
from shared.model import Recipe
from shared.processors import Draft


def run(recipe: Recipe, source: Path, workdir: Path) -> list[Draft]:
    """Apply the recipe to the file at `source`; drafts lie in `workdir`.

    Raises `BadFile` when the file itself is at fault, `Unavailable` for a recipe of another release than this one: while one
    takes the other's place, tasks of both are in the queues.
    """
    try:
        processor = processors.find(recipe.processor)
        options = processor.check(recipe.options)
    except BadConfiguration as error:
        raise Unavailable(f"this release cannot do {recipe.recipe_id}: {error.message}") from error
    return processor.run(source, workdir, options)
