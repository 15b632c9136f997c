"""A sandbox with the hostile processor in its zygote, and a way to give it a file."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.model import recipe
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
    """Runs the hostile processor on a file with this text; keywords are limits."""

    def ran(text: str, **limits: Any) -> Ran:
        place = Path(tempfile.mkdtemp(prefix="work", dir=tmp_path))
        source, folder = place / "source", place / "folder"
        source.write_text(text)
        folder.mkdir()
        return sandbox.run(recipe("step", hostile.NAME, 1, {}), source, folder, replace(hostile.LIMITS, **limits))

    return ran
