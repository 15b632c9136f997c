"""Common fixtures: settings, the fake cloud, and entry points loaded as the cloud loads them."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as properties
from werkzeug.test import Client

import shared.cloud
from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from shared import routes as routing
from shared import settings as configuration
from shared.cloud.protocols import NO_METADATA
from shared.identity import Certificates
from shared.model import File
from shared.routes import Routes
from shared.settings import ROOT, Settings
from shared.testing import FakeCloud
from tests import contracts, workers
from tests.answers import CheckedClient

DATA = Path(__file__).parent / "data"
#: The tests' own, so that editing the shipped one breaks no test.
PIPELINE = DATA / "pipeline.toml"
ISSUER = "https://accounts.google.com"
ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": "local-project",
    "SLUICE_UPLOADS_BUCKET": "uploads",
    "SLUICE_RESULTS_BUCKET": "results",
    "SLUICE_PIPELINE": str(PIPELINE),
    "SLUICE_ISSUER_URL": "https://issuer.test",
    "SLUICE_UPLOAD_URL": "https://upload.test",
    "SLUICE_KEY_SECRET": "not a secret, as every test knows it",
    "SLUICE_DISPATCHER_URL": "https://dispatcher.test",
    "SLUICE_PROCESSOR_URLS": "default=https://processor.test",
    "SLUICE_STATUS_URL": "https://status.test",
    "SLUICE_NOTIFIER_URL": "https://notifier.test",
    "SLUICE_SWEEPER_URL": "https://sweeper.test",
    "SLUICE_CLOCK_ACCOUNT": "clock@local-project.iam.gserviceaccount.com",
    "SLUICE_PUSH_ACCOUNT": "push@local-project.iam.gserviceaccount.com",
    "SLUICE_TASKS_ACCOUNT": "tasks@local-project.iam.gserviceaccount.com",
    "SLUICE_SIGNER": "signer@local-project.iam.gserviceaccount.com",
    "SLUICE_READER": "reader@local-project.iam.gserviceaccount.com",
    "SLUICE_CONSOLE_ACCESS": "loopback",
    "SLUICE_MAX_POST_BYTES": "1000000",
    "SLUICE_MAX_FILE_BYTES": "5000000",
}

# The tests' servers are on this machine: for them, no proxy of a developer's is asked.
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, (os.environ.get(_name), "127.0.0.1", "localhost")))

# No test depends on its speed, and no run on an earlier one. `make test COVERAGE=yes`, which CI runs, tries more.
properties.register_profile(
    "sluice", max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
properties.register_profile("more", properties.get_profile("sluice"), max_examples=100)
properties.load_profile("sluice")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Tests live to the end: to look for garbage among them takes a third of the collection, in each worker."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests, and have `-k T05` choose those of a row of docs/failures.md."""
    for item in items:
        item.extra_keyword_matches.update(row for mark in item.iter_markers("failure") for row in mark.args)
    items.sort(key=lambda item: workers.rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> workers.Scheduler | None:
    """With `--dist loadfile`, more than files stay together."""
    return workers.Scheduler(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def settings() -> Settings:
    return configuration.load(ENVIRONMENT)


@pytest.fixture
def routes() -> Routes:
    return routing.load(PIPELINE)


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """The signer of the callers' tokens, in Google's place."""
    return Accounts(tmp_path_factory.mktemp("keys"), "local-project", ISSUER, SystemClock())


@pytest.fixture
def cloud(settings: Settings, routes: Routes, accounts: Accounts) -> Iterator[FakeCloud]:
    """The cloud in memory. After the test, every notice of ours that was published must keep to its contract."""
    cloud = FakeCloud(settings, routes, Certificates(accounts.certificates))
    topic = cloud.completions
    yield cloud
    ours = [notice for notice in topic.notices if "ce-type" in notice.attributes]
    assert [fault for notice in ours for fault in contracts.faults(notice)] == []


@pytest.fixture
def photo() -> bytes:
    return (DATA / "photo.jpg").read_bytes()


@pytest.fixture
def uploaded(cloud: FakeCloud) -> Callable[..., File]:
    """Put bytes into the uploads bucket and return the file of their notification."""

    def put(name: str, data: bytes, content_type: str = "image/jpeg", metadata: Mapping[str, str] = NO_METADATA) -> File:
        stored = cloud.uploads.put(name, data, content_type, metadata)
        return File("uploads", name, stored.generation, stored.size, content_type, stored.crc32c, stored.metadata)

    return put


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, cloud: FakeCloud) -> Callable[[str], Client]:
    """Load an entry point by its folder's name, on the fake cloud. Its answers must keep to its contract."""
    monkeypatch.setattr(shared.cloud, "connect", lambda *_seconds: cloud)

    def load(name: str) -> Client:
        app = functions_framework.create_app(name, str(ROOT / "functions" / name / "main.py"))
        app.test_client_class = CheckedClient
        client: CheckedClient = app.test_client()
        client.service = name
        return client

    return load


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a real client. Without it the test is skipped on a laptop and fails in CI."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if found:
            return found
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and CI must have it")
        pytest.skip(f"{name} is not installed")

    return find


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own settings from the tests."""
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)
