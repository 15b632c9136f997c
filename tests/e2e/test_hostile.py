"""Hostile files on the whole stack hurt only themselves: each ends as the table in `hostile/files.py` says.

The stack is that of a copy of the project, which has one more processor: it does what a hijacked decoder would.
"""

import mimetypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from google.cloud.storage import Client

from localcloud.address import PROJECT
from tests.docs import project
from tests.e2e.conftest import Notices
from tests.e2e.hostile import files, pictures
from tests.e2e.hostile.files import Sent
from tests.eventually import eventually
from tests.machine import Machine, running, variables
from tests.unit.sandbox import hostile
from tests.unit.sandbox.declared import declared

HERE = Path(__file__).parent / "hostile"
MIB = 1 << 20
#: The service and its zygote may keep so much more than before: buffers, pages that a first use touches.
MAX_GROWTH_BYTES = 64 * MIB
DEADLINE_SECONDS = 600


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the hostile processor."""
    folder = project.copy(tmp_path_factory.mktemp("project") / "sluice")
    shutil.copy(hostile.__file__, folder / "shared/processors/test.py")
    modules = folder / "shared/processors/__init__.py"
    modules.write_text(modules.read_text().replace('"any",', '"any", "test",'))
    shutil.copy(HERE / "pipeline.toml", folder)
    return folder


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for the temporary files of the services."""
    return tmp_path_factory.mktemp("tmp")


@pytest.fixture(scope="module")
def machine(copy: Path, temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("stack"), project=copy)
    limits = {"SLUICE_MAX_FILE_BYTES": str(files.MAX_FILE_BYTES), "TMPDIR": str(temporary)}
    with declared(), variables({"SLUICE_PIPELINE": str(copy / "pipeline.toml"), **limits}), running(machine):
        yield machine


class Processor:
    """The processor's processes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @property
    def service(self) -> psutil.Process:
        return psutil.Process(eventually(lambda: self._machine.function_pid("processor")))

    @property
    def worker(self) -> psutil.Process:
        return eventually(lambda: next(iter(self.service.children()), None))

    @property
    def zygote(self) -> psutil.Process:
        """The process that forks the children, once there is one."""
        return eventually(lambda: next(iter(self.worker.children()), None))

    @property
    def child(self) -> psutil.Process:
        """A process in which a step goes on running, once there is one."""
        return eventually(lambda: next(filter(_goes_on, self.zygote.children()), None), "a child")

    def held(self) -> psutil.Process:
        """Such a process, stopped: it goes on running until it is killed."""
        return eventually(lambda: _stopped(self.child), "a child to stop")

    def memory(self) -> dict[int, int]:
        """The resident bytes of each process."""
        return {one.pid: one.memory_info().rss for one in (self.service, self.worker, self.zygote)}


def _goes_on(process: psutil.Process) -> bool:
    """Whether it runs for longer than most steps take."""
    try:
        process.wait(timeout=0.3)
    except psutil.TimeoutExpired:
        return True
    return False


def _stopped(process: psutil.Process) -> psutil.Process | None:
    with suppress(psutil.NoSuchProcess):
        process.suspend()
        return process if process.status() != psutil.STATUS_ZOMBIE else None
    return None


@pytest.fixture(scope="module")
def client(machine: Machine) -> Client:
    with variables(machine.environment):
        return Client(project=PROJECT)


def write(sent: list[Sent], folder: Path) -> Path:
    for one in sent:
        path = folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    return folder


def send(machine: Machine, copy: Path, folder: Path) -> "subprocess.Popen[str]":
    """`make hostile DIR=<folder>`."""
    place = ["--data", str(machine.data), "--port-offset", str(machine.offset), "--deadline", str(DEADLINE_SECONDS)]
    command = [sys.executable, "-m", "local", "hostile", str(folder), *place]
    environment = {**os.environ, "SLUICE_PIPELINE": str(copy / "pipeline.toml")}
    return subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(notices: Notices, sent: list[Sent], prefix: str) -> dict[str, dict[str, Any]]:
    """The job notice of each file; the names of their objects have this prefix."""
    return {one.name: notices.job(prefix + one.name) for one in sent}


def end(job: dict[str, Any]) -> str:
    """Verdict and reason."""
    reason = job.get("reason") or next((step["reason"] for step in job["steps"]), "")
    return f"{job['verdict']} {reason}".strip()


def wrong_ends(sent: list[Sent], jobs: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The files that ended in another way than the table says."""
    found = {one.name: end(jobs[one.name]) for one in sent}
    return {one.name: f"{found[one.name]}; wanted {one.ends}" for one in sent if found[one.name] not in one.ends}


def wrong_pixels(jobs: dict[str, dict[str, Any]], client: Client) -> dict[str, list[str]]:
    """The faults in the renditions of the good files."""
    results, faults = client.bucket("results"), {}
    for seed, one in enumerate(files.good()):
        (step,) = jobs[one.name]["steps"]
        data = results.blob(step["outputs"][0]["object"]).download_as_bytes()
        faults[one.name] = list(pictures.wrong_pixels(data, seed, is_turned=files.is_turned(seed)))
    return {name: found for name, found in faults.items() if found}


def times(job: dict[str, Any]) -> tuple[str, str]:
    """The beginning and the end of its step."""
    (step,) = job["steps"]
    return step["times"]["fetched"], step["times"]["worked"]


@pytest.mark.long
def test_hostile_files_hurt_only_themselves(
    machine: Machine, notices: Notices, client: Client, copy: Path, temporary: Path, tmp_path: Path
) -> None:
    processor, sent = Processor(machine), files.every()
    folder = write(sent, tmp_path / "files")
    first = write([Sent(f"first/{number}.png", pictures.noisy("png"), ()) for number in range(8)], tmp_path / "first")
    send(machine, copy, first).communicate(timeout=120)
    before = processor.memory()

    tool = send(machine, copy, folder)
    printed, _ = tool.communicate(timeout=DEADLINE_SECONDS + 60)

    (prefix,) = re.findall(r"gs://uploads/(\S+)", printed)
    jobs, after = ended(notices, sent, prefix), processor.memory()
    assert wrong_ends(sent, jobs) == {}
    assert tool.returncode == 0, printed
    assert all(f" {one.name}\n" in printed for one in sent)
    assert wrong_pixels(jobs, client) == {}
    assert len(beside(jobs)) >= files.GOOD / 2
    (connected,) = (one.name for one in sent if one.data == b"connect")
    assert jobs[connected]["steps"][0]["facts"] == {"metadata server": "Operation not permitted"}
    assert after.keys() == before.keys()
    assert sum(after.values()) - sum(before.values()) < MAX_GROWTH_BYTES
    assert_nothing_is_left(processor, temporary)


def assert_nothing_is_left(processor: Processor, temporary: Path) -> None:
    """Neither a child nor a file, once the last delivery has ended; the lock is that of the running worker."""
    eventually(lambda: processor.zygote.children() == [], "the end of all children")
    eventually(lambda: [path.name for path in temporary.glob("sluice-*/*")] == ["lock"], "the end of all files")


def beside(jobs: dict[str, dict[str, Any]]) -> list[str]:
    """The good files that ran while a hijacked decoder did."""
    hijacked = [times(jobs[one.name]) for one in (*files.hijacked(), *files.endless())]
    periods = {one.name: times(jobs[one.name]) for one in files.good()}
    return [name for name, (begun, ended) in periods.items() if any(begun < last and first < ended for first, last in hijacked)]


KILLED: dict[str, Callable[[Processor], psutil.Process]] = {
    "worker": lambda processor: processor.worker,
    "zygote": lambda processor: processor.zygote,
    "service": lambda processor: processor.service,
}


@pytest.mark.parametrize(
    "victim", ["zygote", *(pytest.param(name, marks=pytest.mark.long) for name in ("worker", "child", "service"))]
)
def test_files_end_the_same_when_a_process_is_killed(
    victim: str, machine: Machine, notices: Notices, client: Client, temporary: Path
) -> None:
    # The second nap is for a machine on which the first is over before all files are sent.
    naps = [Sent(f"hijacked/{number}.hostile", b"nap 2", (files.SUCCEEDED,)) for number in range(2)]
    sent = [naps[0], *files.hijacked(), *files.good(), naps[1]]
    processor = Processor(machine)
    for one in sent:
        content_type = mimetypes.guess_type(one.name)[0] or "application/octet-stream"
        client.bucket("uploads").blob(f"{victim}/{one.name}").upload_from_string(one.data, content_type=content_type)
    held = processor.held()
    assert held.is_running()

    killed = KILLED[victim](processor) if victim in KILLED else held
    killed.kill()

    jobs = ended(notices, sent, f"{victim}/")
    assert wrong_ends(sent, jobs) == {}
    assert wrong_pixels(jobs, client) == {}
    assert not killed.is_running()
    assert_nothing_is_left(processor, temporary)
