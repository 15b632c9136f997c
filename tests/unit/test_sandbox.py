"""A recipe is applied to a file. An unknown recipe is not the file's fault: it is retried."""

from pathlib import Path

import pytest

from shared import sandbox
from shared.errors import BadFile, Unavailable
from shared.model import Recipe, recipe


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.write_bytes(b"meow")
    return source


def test_a_recipe_is_applied_to_the_file(source: Path) -> None:
    made = sandbox.run(recipe("digest", "any.digest", 2, {}), source, source.parent)

    assert made.facts["size"] == 4


def test_a_file_that_cannot_be_processed_is_at_fault(source: Path) -> None:
    with pytest.raises(BadFile):
        sandbox.run(recipe("thumbnails", "image.renditions", 1, {"sizes": [64]}), source, source.parent)


@pytest.mark.parametrize(
    "newer",
    [
        recipe("cover", "document.cover", 1, {}),
        recipe("digest", "any.digest", 3, {"algorithms": ["sha512"]}),
        recipe("thumbnails", "image.renditions", 2, {"formats": ["heic"]}),
    ],
    ids=lambda newer: newer.step,
)
def test_a_recipe_of_another_release_is_retried(source: Path, newer: Recipe) -> None:
    with pytest.raises(Unavailable, match=f"this release cannot run recipe {newer.recipe_id}: "):
        sandbox.run(newer, source, source.parent)
