"""Two pools of the processor on the local cloud: each works on the queues that name it."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from google.cloud.storage import Client

from local.services import FIRST_POOL_PORT
from shared.settings import ROOT
from tests.conftest import DATA
from tests.e2e.conftest import Notices
from tests.machine import Machine, running, variables

SHIPPED = ROOT / "pipeline.toml"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("pools"))
    with variables({"SLUICE_PIPELINE": str(SHIPPED)}), running(machine):
        yield machine


@pytest.fixture(autouse=True)
def _shipped(_pipeline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_PIPELINE", str(SHIPPED))


def ended(log: Path) -> set[str]:
    """The steps that ended in a service, by its log."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return {line["step"] for line in lines if line["message"] == "ended" and "step" in line}


def test_a_step_is_done_by_the_pool_of_its_queue(machine: Machine, notices: Notices) -> None:
    with variables(machine.environment):
        blob = Client(project="local-project").bucket("uploads").blob("photo.jpg")
    blob.metadata = {"sluice-steps": "avif"}
    blob.upload_from_filename(DATA / "photo.jpg", content_type="image/jpeg")
    job = notices.job("photo.jpg")

    assert job["verdict"] == "succeeded"
    assert ended(machine.data / "logs" / "processor.log") == {"digest", "facts", "thumbnails"}
    assert ended(machine.data / "logs" / "processor-slow.log") == {"avif"}


def test_each_pool_has_a_process_with_its_own_port_and_threads(machine: Machine) -> None:
    pids = [machine.function_pid("processor", pool) for pool in ("default", "slow")]
    processes = [psutil.Process(pid) for pid in pids if pid]

    ports = [one.cmdline()[one.cmdline().index("--port") + 1] for one in processes]
    assert ports == [str(8083 + machine.offset), str(FIRST_POOL_PORT + machine.offset)]
    assert [one.environ()["THREADS"] for one in processes] == ["3", "2"]


def test_clients_get_the_url_of_every_pool(machine: Machine) -> None:
    urls = machine.environment["SLUICE_PROCESSOR_URLS"]

    default, *others = (f"http://127.0.0.1:{port + machine.offset}" for port in (8083, 8091, 8092))
    assert urls == f"default={default},slow={others[0]},media={others[1]}"
