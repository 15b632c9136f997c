"""Python modules that run as child processes, each with its port and its log."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from localcloud.address import HOST
from localcloud.cli import child
from localcloud.errors import CannotRun
from localcloud.server import bind

#: A busy machine starts all functions at once; one that ends is seen at once.
START_SECONDS = 180
STOP_SECONDS = 10
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 30.0


class ChildFailed(CannotRun):
    """A child ended before it accepted connections, or never did; the message carries the end of its log."""


class Child:
    """One module in a process of its own. The process ends with this one (`localcloud/cli/child.py`)."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self._port = port
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self, module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Start the process. Raises `PortInUse` before anything runs."""
        bind(self._port, f"function {self.name}").close()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._run = partial(
            asyncio.create_subprocess_exec,
            *child.command(module, *arguments),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches this process only, which then stops its children in order
        )
        self._process = await self._spawn()

    async def listening(self) -> None:
        """Return once it accepts connections. Raises `ChildFailed`."""
        deadline = time.monotonic() + START_SECONDS
        while not await _accepts(self._port):
            if self._process is None or self._process.returncode is not None:
                raise self._failed("did not start")
            if time.monotonic() > deadline:
                raise self._failed(f"takes no connection after {START_SECONDS:g} s")
            await asyncio.sleep(0.05)

    def keep(self) -> None:
        """From now on restart it whenever it ends, as Cloud Run does."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process: SIGTERM, and SIGKILL after `STOP_SECONDS`."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            return await self._run(stdout=log, stderr=log)

    async def _keep(self) -> None:
        pause_seconds = 0.0
        while self._process:
            started = time.monotonic()
            status = await self._process.wait()
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its workers end too, as in a container
            pause_seconds = next_pause(pause_seconds, time.monotonic() - started)
            ended = f"function {self.name} ended with status {status}"
            print(f"{ended}; restart in {pause_seconds:g} s; log: {self._log}", flush=True)
            await asyncio.sleep(pause_seconds)
            self._process = await self._spawn()

    def _failed(self, fault: str) -> ChildFailed:
        end = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
        return ChildFailed(f"{self.name} {fault}; the end of {self._log}:\n{end}")


def next_pause(last_seconds: float, lived_seconds: float) -> float:
    """Seconds before the next start: exponential backoff from 1 s to 30 s; resets after 30 s of uptime."""
    if not last_seconds or lived_seconds > MAX_PAUSE_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(2 * last_seconds, MAX_PAUSE_SECONDS)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
