"""The service in real time and with a clock that tests turn, and a target for tasks."""

from collections.abc import Iterator

import pytest

from localcloud.clock import SystemClock, TurnedClock
from tests.localcloud.target import Target, listening
from tests.localcloud.tasks.world import World
from tests.localcloud.world import started


@pytest.fixture(scope="session")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(World(tmp_path_factory.mktemp("tasks"), SystemClock())) as found:
        yield found


@pytest.fixture(scope="session")
def _turned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(World(tmp_path_factory.mktemp("turned"), TurnedClock())) as found:
        yield found


@pytest.fixture
def world(_world: World) -> World:
    """The service without queues, in real time."""
    _world.clear()
    return _world


@pytest.fixture
def turned(_turned: World) -> World:
    """The service without queues; time passes only in `turn`."""
    _turned.clear()
    return _turned


@pytest.fixture
def target() -> Iterator[Target]:
    with listening() as found:
        yield found
