"""The same tests for the fakes and for the real adapters, the latter on a local cloud in a process of its own."""

from collections.abc import Callable, Iterator

import google.auth
import pytest
from google.auth.credentials import Credentials

from localcloud.accounts import Accounts
from localcloud.address import PROJECT
from localcloud.clock import SystemClock
from shared import routes as routing
from shared import settings as configuration
from shared.cloud import Cloud, GoogleCloud
from shared.cloud.protocols import RETRY_SECONDS
from shared.cloud.storage import Storage, StorageBucket
from shared.testing import FakeCloud
from tests.conftest import ENVIRONMENT, PIPELINE
from tests.localcloud.target import Target, listening
from tests.machine import Machine, running, variables


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("contract"), cloud_only=True)
    with variables({"SLUICE_PIPELINE": str(PIPELINE)}), running(machine):
        machine.create_resources()
        yield machine


@pytest.fixture(scope="session")
def real(machine: Machine) -> Iterator[Cloud]:
    tasks = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"].rstrip("/")
    accounts = Accounts(machine.data / "keys", PROJECT, "https://issuer.test", SystemClock())
    keys = {f"SLUICE_{name.upper()}_KEY": str(accounts.key_file(name)) for name in ("signer", "reader")}
    settings = configuration.load({**ENVIRONMENT, "SLUICE_TASKS_ENDPOINT": tasks, **keys})
    with variables(machine.environment):
        yield GoogleCloud(settings)


@pytest.fixture(params=["fake", "real"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """The fake and the real one, in turn."""
    if request.param == "real":
        real: Cloud = request.getfixturevalue("real")
        return real
    return FakeCloud(configuration.load(ENVIRONMENT), routing.load(PIPELINE))


@pytest.fixture
def target() -> Iterator[Target]:
    """A server in Google's place with scripted answers."""
    with listening() as found:
        yield found


@pytest.fixture
def bucket_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., StorageBucket]:
    """The results bucket of the Cloud Storage at this URL; of Google's own for an empty URL."""

    def make(url: str, retry_seconds: float = RETRY_SECONDS) -> StorageBucket:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        # As in the image; else the library sometimes reads the bucket's metadata too.
        monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        return Storage(configuration.load(ENVIRONMENT), retry_seconds).bucket("results")

    return make


class _NoToken(Credentials):
    """An account whose tokens cannot be fetched."""

    def __init__(self, error: Exception) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._error = error

    def refresh(self, request: object) -> None:  # noqa: ARG002 - google-auth calls it so
        raise self._error


@pytest.fixture
def without_token(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Give this machine an account whose token cannot be fetched, for this reason."""

    def refuse(error: Exception) -> None:
        monkeypatch.setattr(google.auth, "default", lambda *_args, **_options: (_NoToken(error), "local-project"))

    return refuse
