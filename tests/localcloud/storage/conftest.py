"""The service, shared by all tests of this folder; each test makes its own buckets."""

import contextlib
import itertools
import shutil
from collections.abc import Iterator

import pytest
from google.cloud.storage import Bucket

from localcloud.clock import SystemClock
from tests.localcloud.storage.clients import Clients, python_client
from tests.localcloud.storage.direct import Service, close_service
from tests.localcloud.storage.world import World
from tests.localcloud.world import started
from tests.machine import Machine
from tests.machine import running as running_machine
from tests.preloaded import preloaded

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(World(tmp_path_factory.mktemp("storage"), SystemClock())) as found:
        yield found


@pytest.fixture
def bucket(world: World) -> str:
    """A new, empty bucket."""
    return world.bucket(f"bucket-{next(_numbers)}")


@pytest.fixture
def home(world: World, bucket: str) -> Bucket:
    """A new bucket in Google's library."""
    return python_client(world).bucket(bucket)


@pytest.fixture(scope="module")
def direct() -> Iterator[Service]:
    """The service without a network, for the tests of a module; each makes its own buckets."""
    service = Service()
    yield service
    service.close()


@pytest.fixture(scope="module")
def closed_service() -> Iterator[None]:
    """Closes the service without a network after a module's tests."""
    yield
    close_service()


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Google's programs and a whole local cloud."""
    installed = filter(None, map(shutil.which, ("gcloud", "gsutil")))
    with contextlib.ExitStack() as stack:
        machine = stack.enter_context(running_machine(Machine(tmp_path_factory.mktemp("cloud"), cloud_only=True)))
        environment = machine.environment
        for path in installed:
            environment = stack.enter_context(preloaded(path, environment))
        yield Clients(machine, tmp_path_factory.mktemp("files"), environment)
