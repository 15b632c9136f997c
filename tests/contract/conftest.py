"""The same questions to the fakes and to the real adapters, the latter on the local cloud in a process of its own."""

from collections.abc import Iterator

import pytest

from local.accounts import Accounts
from local.address import PROJECT
from local.clock import SystemClock
from shared import routes as routing
from shared import settings as configuration
from shared.cloud import Cloud, GoogleCloud
from shared.settings import ROOT
from tests.conftest import ENVIRONMENT
from tests.fakes import FakeCloud
from tests.machine import Machine, running, variables


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(Machine(tmp_path_factory.mktemp("contract"), cloud_only=True)) as machine:
        yield machine


@pytest.fixture(scope="session")
def real(machine: Machine) -> Iterator[Cloud]:
    tasks = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"].rstrip("/")
    key = Accounts(machine.data / "keys", PROJECT, "https://issuer.test", SystemClock()).key_file("signer")
    settings = configuration.load({**ENVIRONMENT, "SLUICE_TASKS_ENDPOINT": tasks, "SLUICE_SIGNER_KEY": str(key)})
    with variables(machine.environment):
        yield GoogleCloud(settings)


@pytest.fixture(params=["fake", "real"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Both, one after the other."""
    if request.param == "real":
        real: Cloud = request.getfixturevalue("real")
        return real
    return FakeCloud(configuration.load(ENVIRONMENT), routing.load(ROOT / "pipeline.toml"))
