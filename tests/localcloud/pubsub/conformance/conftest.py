"""Every contract test runs against the local service and, as a long test, against Google's emulator."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.localcloud.pubsub.conformance.differences import DIFFERENCES
from tests.localcloud.pubsub.conformance.emulator import emulator_program, running_emulator
from tests.localcloud.pubsub.world import Clients, World


@pytest.fixture(scope="session")
def _ours(_world: World) -> Clients:
    return _world


@pytest.fixture(scope="session")
def _google(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    program("java")
    emulator = emulator_program(program("gcloud"))
    if not emulator.exists():
        absent = "Google's Pub/Sub emulator is not installed (gcloud components install pubsub-emulator)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(absent)
    with running_emulator(emulator, tmp_path_factory.mktemp("emulator") / "log") as clients:
        yield clients


# A change here changes only ours; that the tests are right about Google is a matter for the long ones.
@pytest.fixture(params=["ours", pytest.param("google", marks=pytest.mark.long)])
def clients(request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Clients of the local service or of the emulator, without topics."""
    found: Clients = request.getfixturevalue(f"_{request.param}")
    yield found
    found.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the emulator to fail exactly the tests in `DIFFERENCES`."""
    listed = set(DIFFERENCES)
    for item in items:
        if isinstance(item, pytest.Function) and item.path.parent.name == "conformance" and "[google" in item.name:
            name = item.name.replace("[google]", "").replace("[google-", "[")
            listed.discard(name)
            if reason := DIFFERENCES.get(name):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
