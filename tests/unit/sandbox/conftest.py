"""A sandbox with the hostile processor in its zygote, and a way to give it a file."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.model import recipe
from shared.processors.registry import NO_ASSETS
from shared.sandbox.outcome import Ran
from shared.sandbox.service import Sandbox
from tests.unit.sandbox import hostile
from tests.unit.sandbox.declared import declared

Run = Callable[..., Ran]
ROOM_BYTES = 1 << 30


@pytest.fixture(autouse=True)
def hostile_processor() -> Iterator[None]:
    with declared():
        yield


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    shared = Sandbox([hostile.NAME], ROOM_BYTES)
    yield shared
    shared.stop()


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """Runs the hostile processor on a file with this text, and these assets; keywords are limits."""

    def ran(text: str, assets: Mapping[str, Path] = NO_ASSETS, **limits: Any) -> Ran:
        place = Path(tempfile.mkdtemp(prefix="work", dir=tmp_path))
        source, folder = place / "source", place / "folder"
        source.write_text(text)
        folder.mkdir()
        exact = recipe("step", hostile.NAME, 1, {})
        return sandbox.run(exact, source, folder, replace(hostile.LIMITS, **limits), assets)

    return ran
