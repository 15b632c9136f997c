"""The protocol of the sandbox, as the pipeline sees it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from shared.model import Limits, Recipe
from shared.processors.registry import NO_ASSETS
from shared.sandbox.outcome import Ran
from shared.sandbox.room import Share


class Sandbox(Protocol):
    """Runs steps: `shared.sandbox`, or for tests `shared.testing`."""

    def announce(self) -> None:
        """Log whether this host enforces all of the sandbox."""

    def prepare(self) -> None:
        """Begin what the first step would wait for."""

    def reserved(self, wanted_bytes: int) -> AbstractContextManager[Share]:
        """Memory for one delivery: its file and its steps. Raises `Unavailable` when none is free in time."""

    def folder(self) -> AbstractContextManager[Path]:
        """An empty folder for one delivery."""

    def run(self, recipe: Recipe, source: Path, folder: Path, limits: Limits, assets: Mapping[str, Path] = NO_ASSETS) -> Ran:
        """Apply the recipe to the file at `source` and to these assets by name, in an empty folder.

        Raises `Unavailable` for a recipe of another release, and when the sandbox fails.
        """
