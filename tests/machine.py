"""The stack, or only its cloud, as a process of its own: on free ports, in a folder of its own, and gone when the test is."""

import argparse
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path

import psutil

from local.stack import FUNCTIONS, client_environment, function_port
from localcloud.address import Ports
from localcloud.faults import command as faults
from tests.eventually import eventually
from tests.ports import free_offset, is_free

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


class Machine:
    """`python -m local up` in a child process."""

    def __init__(self, data: Path, *, cloud_only: bool = False, functions: Path | None = None) -> None:
        self.data = data
        self.offset = free_offset(_ports)
        self._arguments = ["--cloud-only"] if cloud_only else []
        self._arguments += ["--functions", str(functions)] if functions else []
        self._process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None
        self._lines: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """What a shell that uses the stack has, over the test's own variables."""
        self.data.mkdir(parents=True, exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return inherited | client_environment(self.data, Ports(self.offset))

    @property
    def pid(self) -> int:
        """Of the process that is the cloud; the functions are its children."""
        assert self._process is not None
        return self._process.pid

    def url(self, name: str) -> str:
        """Base URL of a function."""
        return self.environment[f"SLUICE_{name.upper()}_URL"]

    def start(self) -> None:
        """Start, and return once it says that it is ready."""
        command = [sys.executable, "-m", "local", "up", "--data", str(self.data), "--port-offset", str(self.offset)]
        self._process = subprocess.Popen(command + self._arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self._lines = []
        self._reading = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reading.start()
        eventually(lambda: self._lines or not self._is_alive(), seconds=START_SECONDS)
        assert self._lines, f"the stack ended before it was ready: status {self._process.wait()}"

    def function_pid(self, name: str) -> int | None:
        """Of a function's master process; None while there is none."""
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.NoSuchProcess):  # or a zombie, which is one
                if f"--target {name} " in " ".join(child.cmdline()):
                    return child.pid
        return None

    def printed(self, beginning: str) -> str:
        """The first line that begins so, as soon as it is printed."""
        return eventually(lambda: next((line for line in self._lines if line.startswith(beginning)), None))

    def kill(self) -> None:
        """`kill -9`: no chance to tidy up."""
        assert self._process is not None
        self._process.kill()
        self._reap()
        eventually(lambda: all(map(is_free, _ports(self.offset))))  # the functions end when they see that the cloud is gone

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process and self._is_alive():
            self._process.send_signal(signal.SIGINT)
            self._reap()

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a client to its end and give what it printed; a status other than 0 fails the test."""
        done = subprocess.run(command, env=self.environment | variables, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def fault(self, *arguments: str) -> str:
        """`python -m local fault …`, in this process to save time; gives what it printed."""
        parser = argparse.ArgumentParser()
        faults.add_arguments(parser)
        parser.set_defaults(port_offset=self.offset)
        printed = io.StringIO()
        with redirect_stdout(printed):
            faults.fault(parser.parse_args(arguments))
        return printed.getvalue()

    def _reap(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._reading is not None
        self._process.wait(timeout=30)
        self._reading.join()
        self._process.stdout.close()

    def _read(self, printed: Iterable[str]) -> None:
        for line in printed:
            self._lines.append(line)

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None


@contextmanager
def running(machine: Machine) -> Iterator[Machine]:
    """Started, and stopped whatever happens."""
    machine.start()
    try:
        yield machine
    finally:
        machine.stop()


@contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Google's libraries read their emulator's address from the environment when a client is made."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _ports(offset: int) -> set[int]:
    ports = Ports(offset)
    cloud = {ports.storage, ports.storage_tls, ports.pubsub_grpc, ports.pubsub, ports.pubsub_tls, ports.tasks}
    return cloud | {function_port(name, ports) for name in FUNCTIONS}
