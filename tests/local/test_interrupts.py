"""A signal ends every command at every moment: one line, status 128 + number, and no process is left."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from local.services import FUNCTIONS, all_ports
from localcloud.address import Ports
from tests.eventually import eventually
from tests.machine import ROOT
from tests.ports import free_offset, is_free

DEATH = """
import signal
from pathlib import Path
from tests.machine import Machine

def test_that_waits(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "data", cloud_only={cloud_only})
    machine.start()
    print("offset", machine.offset, flush=True)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Children inherit an ignored SIGHUP, as under `nohup make test`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


class Run:
    """A command in a process of its own, on free ports."""

    def __init__(self, data: Path, module: str, command: str) -> None:
        self.data = data
        self.ports = Ports(free_offset(lambda offset: all_ports(Ports(offset))))
        place = ["--data", str(data), "--port-offset", str(self.ports.offset)]
        pipe = subprocess.PIPE
        arguments = [sys.executable, "-m", module, command, *place]
        self.process = subprocess.Popen(arguments, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)

    def interrupt(self, number: int) -> tuple[int, str]:
        """Send the signal; the status and the error output of the process, whose children and ports are gone."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=60)
        eventually(lambda: not any(map(_runs, children)), "the end of the children")
        eventually(lambda: all(map(is_free, all_ports(self.ports))), "free ports: a child may have begun meanwhile")
        return self.process.returncode, errors


def _has_handler(run: Run) -> bool:
    """Whether the process catches SIGTERM, which Python itself does not."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{run.process.pid}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _runs_client(run: Run) -> bool:
    for child in psutil.Process(run.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended; raised for a zombie too
            if "gs://uploads" in " ".join(child.cmdline()):
                return True
    return False


MOMENTS: dict[str, Callable[[Run], bool]] = {
    "imports": _has_handler,
    "folder": lambda run: (run.data / "lock").exists(),
    "cloud": lambda run: not is_free(run.ports.tasks),
    "functions": lambda run: (run.data / "logs" / "status.log").exists(),
    "client": _runs_client,
}


@contextmanager
def started(data: Path, module: str, command: str, moment: str) -> Iterator[Run]:
    """The command at this moment of its life."""
    run = Run(data, module, command)
    try:
        eventually(lambda: MOMENTS[moment](run) or run.process.poll() is not None, pause_seconds=0.005)
        yield run
    finally:
        run.process.kill()
        run.process.communicate()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="signal handlers are read from /proc, which only Linux has")
@pytest.mark.parametrize(
    ("module", "command", "moment"),
    [
        ("localcloud", "up", "imports"),
        ("local", "up", "functions"),
        ("local", "demo", "client"),
        pytest.param("localcloud", "up", "folder", marks=pytest.mark.long),
        pytest.param("local", "up", "imports", marks=pytest.mark.long),
        pytest.param("local", "up", "cloud", marks=pytest.mark.long),
        pytest.param("local", "demo", "functions", marks=pytest.mark.long),
    ],
)
def test_ctrl_c_ends_a_command_early(tmp_path: Path, module: str, command: str, moment: str) -> None:
    with started(tmp_path / "data", module, command, moment) as run:
        assert run.interrupt(signal.SIGINT) == (130, "interrupted\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_end_a_command_too(tmp_path: Path, number: int, status: int) -> None:
    with started(tmp_path / "data", "local", "up", "cloud") as run:
        assert run.interrupt(number) == (status, "interrupted\n")


def test_ctrl_c_is_the_way_to_stop_a_running_cloud(tmp_path: Path) -> None:
    with started(tmp_path / "data", "localcloud", "up", "cloud") as run:
        assert run.process.stdout is not None
        assert run.process.stdout.readline() == "The local cloud is up.\n"
        assert run.interrupt(signal.SIGINT) == (0, "")


@pytest.mark.parametrize(
    ("number", "cloud_only"),
    [
        (signal.SIGKILL, False),
        *(pytest.param(number, True, marks=pytest.mark.long) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)),
    ],
)
def test_a_stack_ends_with_the_tests_that_started_it(tmp_path: Path, number: int, cloud_only: bool) -> None:
    test = tmp_path / "test_that_waits.py"
    test.write_text(DEATH.format(cloud_only=cloud_only))
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "--basetemp", str(tmp_path / "base"), "-qs"]
    command = [sys.executable, "-m", "pytest", *options, str(test)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        offset = next(int(line.split()[1]) for line in tests.stdout if line.startswith("offset"))
        ports = Ports(offset).all | ({number + offset for number in FUNCTIONS.values()} if not cloud_only else set())
        assert not any(map(is_free, ports))
        tests.send_signal(number)

    eventually(lambda: all(map(is_free, ports)))
