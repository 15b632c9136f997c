"""The service on the system clock and on a clock that tests turn, and an endpoint for pushes."""

from collections.abc import Iterator

import pytest

from localcloud.clock import SystemClock, TurnedClock
from tests.localcloud.pubsub.world import World
from tests.localcloud.target import Target, listening
from tests.localcloud.world import started


@pytest.fixture(scope="session")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(World(tmp_path_factory.mktemp("pubsub"), SystemClock())) as found:
        yield found


@pytest.fixture(scope="session")
def _turned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(World(tmp_path_factory.mktemp("turned"), TurnedClock())) as found:
        yield found


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    """The service without topics, on the system clock."""
    yield _world
    _world.clear()


@pytest.fixture
def turned(_turned: World) -> Iterator[World]:
    """The service without topics, on a clock that only `turn` moves."""
    yield _turned
    _turned.clear()


@pytest.fixture
def endpoint() -> Iterator[Target]:
    with listening() as found:
        yield found
