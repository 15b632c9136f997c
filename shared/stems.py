"""The stem of a file's name in a recipe: `{stem}` in an option or an input is `cat` for `pets/cat.jpg`."""

from dataclasses import replace

from shared import naming, processors
from shared.errors import BadConfiguration, BadFile
from shared.model import Recipe


def filled(text: str, name: str) -> str:
    """The text with the stem of this object's name."""
    return text.replace(naming.STEM, naming.stem(name)) if naming.STEM in text else text


def exact(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the stem in its text options. Raises `BadFile` for a name that they refuse."""
    texts = {key: filled(value, name) for key, value in recipe.options.items() if isinstance(value, str)}
    options = {**recipe.options, **texts}
    if options == recipe.options:
        return recipe
    try:
        return replace(recipe, options=processors.find(recipe.processor).check(options))
    except BadConfiguration as error:
        raise BadFile(f"with the name of this file, {error.message}", "bad_option") from error
