"""Where a recipe meets a file. The seam behind which the work will move into a killable child with limits of its own."""

from pathlib import Path

from shared import processors
from shared.model import Recipe
from shared.processors import Draft


def run(recipe: Recipe, source: Path, workdir: Path) -> list[Draft]:
    """Apply the recipe to the file at `source`; drafts lie in `workdir`. Raises `BadFile` when the file itself is at fault."""
    return processors.find(recipe.processor).run(source, workdir, recipe.options)
