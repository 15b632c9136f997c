"""Programs we start beside ourselves, and that never outlive us: each holds the end of a pipe that breaks when we die.

Run as a module (`python -m local.children MODULE ARGUMENTS …`), this file is the child's side: watch the pipe, then be that module.
"""

import asyncio
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from localcloud.server import HOST, bind

START_SECONDS = 60
STOP_SECONDS = 10
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 30.0


class ChildFailed(Exception):
    """A child ended before it listened; the message carries the end of its log."""


class Child:
    """One Python module run as a process of its own, listening on a port."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self._port = port
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self, module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Start it. Raises `PortInUse` before anything runs."""
        bind(self._port, f"function {self.name}").close()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._run = partial(
            asyncio.create_subprocess_exec,
            sys.executable,
            *("-m", "local.children", module, *arguments),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is ours to act on
        )
        self._process = await self._spawn()

    async def listening(self) -> None:
        """Return once it accepts connections. Raises `ChildFailed`, `TimeoutError`."""
        async with asyncio.timeout(START_SECONDS):
            while not await _accepts(self._port):
                if self._process is None or self._process.returncode is not None:
                    raise ChildFailed(f"{self.name} did not start; the end of {self._log}:\n{self._last_words()}")
                await asyncio.sleep(0.05)

    def keep(self) -> None:
        """From now on, start it again whenever it ends by itself, as Cloud Run would."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Ask it to end, and see to it."""
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
                os.killpg(self._process.pid, signal.SIGKILL)  # a container leaves no workers behind
            pause_seconds = next_pause(pause_seconds, time.monotonic() - started)
            again = f"it starts again in {pause_seconds:g} s"
            print(f"function {self.name} ended with status {status}; {again}; its log: {self._log}", flush=True)
            await asyncio.sleep(pause_seconds)
            self._process = await self._spawn()

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def next_pause(last_seconds: float, lived_seconds: float) -> float:
    """How long to wait before the next start: twice the last pause, or little after it has lived long enough."""
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


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing is ever written: this returns when the parent is gone
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
