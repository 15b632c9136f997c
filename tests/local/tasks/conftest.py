"""The service under the machine's own clock and under one that tests turn, and a target for tasks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.clock import SystemClock, TurnedClock
from tests.local.tasks.world import Target, World, listening, running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running(tmp_path, SystemClock()) as found:
        yield found


@pytest.fixture
def turned(tmp_path: Path) -> Iterator[World]:
    with running(tmp_path, TurnedClock()) as found:
        yield found


@pytest.fixture
def target() -> Iterator[Target]:
    with listening() as found:
        yield found
