"""The stack, or the local cloud alone, in a process of its own that ends with the tests."""

import argparse
import asyncio
import io
import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path

import psutil

from local import pipeline, resources
from local.environment import client_environment
from local.services import all_ports
from localcloud.address import Ports
from localcloud.cli import child
from localcloud.faults import command as faults
from tests.eventually import eventually
from tests.ports import free_offset, is_free

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 200


class Machine:
    """`python -m local up` in a child process, or with `cloud_only` `python -m localcloud up`."""

    def __init__(
        self,
        data: Path,
        *,
        cloud_only: bool = False,
        functions: Path | None = None,
        project: Path = ROOT,
        origins: str = "",
        sweep_seconds: int = 0,
    ) -> None:
        """`project` is the folder of the project, or of a copy that a test has changed. `origins` are web pages'.

        `sweep_seconds` is the period of the sweeps; 0 leaves it as `make up` has it.
        """
        self.data = data
        self._project = project
        self.offset = free_offset(lambda offset: all_ports(Ports(offset)))
        self._module = "localcloud" if cloud_only else "local"
        self._arguments = ["--functions", str(functions)] if functions else []
        self._arguments += ["--origins", origins] if origins else []
        self._arguments += ["--sweep-seconds", str(sweep_seconds)] if sweep_seconds else []
        self._process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None
        self._lines: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a shell that uses the stack, over the test's own."""
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return inherited | client_environment(self.data, Ports(self.offset))

    @property
    def pid(self) -> int:
        """The process of the local cloud; the functions are its children."""
        assert self._process is not None
        return self._process.pid

    def url(self, name: str) -> str:
        """Base URL of a function."""
        return self.environment[f"SLUICE_{name.upper()}_URL"]

    def start(self) -> None:
        """Start, and return once it is ready. The process ends with this one, even after `kill -9`."""
        place = ["--data", str(self.data), "--port-offset", str(self.offset)]
        command = child.command(self._module, "up", *place, *self._arguments)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=self._project, stdin=pipe, stdout=pipe, text=True)
        self._lines = []
        self._reading = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reading.start()
        eventually(lambda: self._lines or not self._is_alive(), seconds=START_SECONDS)
        assert self._lines, f"the stack ended before it was ready: status {self._process.wait()}"

    def create_resources(self) -> None:
        """Sluice's buckets, topics and queues in a local cloud that runs alone."""
        asyncio.run(resources.create(Ports(self.offset), self.environment, pipeline.load()))

    def function_pid(self, name: str, pool: str = "default") -> int | None:
        """The master process of a function, of the processor that of this pool; None while it does not run."""
        for function in psutil.Process(self.pid).children():
            with suppress(psutil.NoSuchProcess):  # raised for a zombie too
                if f"--target {name} " in " ".join(function.cmdline()) and function.environ().get("SLUICE_POOL", pool) == pool:
                    return function.pid
        return None

    def printed(self, beginning: str) -> str:
        """The first line with this beginning; waits until it is printed."""
        return eventually(lambda: next((line for line in self._lines if line.startswith(beginning)), None))

    def kill(self) -> None:
        """`kill -9`: nothing is tidied up."""
        assert self._process is not None
        self._process.kill()
        self._reap()
        eventually(lambda: all(map(is_free, all_ports(Ports(self.offset)))))  # the functions end after the cloud

    def stop(self) -> None:
        """Stop as Ctrl-C does."""
        if self._process and self._is_alive():
            self._process.send_signal(signal.SIGINT)
            self._reap()

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a client to its end and give its output; a status other than 0 fails the test."""
        done = subprocess.run(command, env=self.environment | variables, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def fault(self, *arguments: str) -> str:
        """`python -m localcloud fault …`, in this process to save time; gives its output."""
        parser = argparse.ArgumentParser()
        faults.add_arguments(parser)
        parser.set_defaults(port_offset=self.offset)
        printed = io.StringIO()
        with redirect_stdout(printed):
            faults.fault(parser.parse_args(arguments))
        return printed.getvalue()

    def _reap(self) -> None:
        assert self._process is not None
        assert self._reading is not None
        self._process.wait(timeout=START_SECONDS)
        self._reading.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self, printed: Iterable[str]) -> None:
        for line in printed:
            self._lines.append(line)

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None


@contextmanager
def running(machine: Machine) -> Iterator[Machine]:
    """Start the machine; stop it in the end, also one that was not ready in time."""
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()


@contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables: Google's libraries read the emulator's address there when a client is made."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
