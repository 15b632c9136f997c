"""The service, shared by all tests of this folder; every test makes buckets of its own."""

import itertools
from collections.abc import Iterator

import pytest

from tests.local.storage.world import World, running

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("storage")) as found:
        yield found


@pytest.fixture
def bucket(world: World) -> str:
    """A new, empty bucket."""
    return world.bucket(f"bucket-{next(_numbers)}")
