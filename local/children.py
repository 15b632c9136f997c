"""Programs we start beside ourselves, and that never outlive us: each holds the end of a pipe that breaks when we die.

Run as a module (`python -m local.children MODULE ARGUMENTS …`), this file is the child's side: watch the pipe, then be that module.
"""

import asyncio
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.server import HOST, bind

START_SECONDS = 60
STOP_SECONDS = 10


class ChildFailed(Exception):
    """A child ended before it listened; the message carries the end of its log."""


class Child:
    """One Python module run as a process of its own, listening on a port."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self._port = port
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Start it. Raises `PortInUse` before anything runs."""
        bind(self._port, f"function {self.name}").close()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "local.children", module, *arguments),
                cwd=folder,
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is ours to act on
            )

    async def listening(self) -> None:
        """Return once it accepts connections. Raises `ChildFailed`, `TimeoutError`."""
        async with asyncio.timeout(START_SECONDS):
            while not await _accepts(self._port):
                if self._process is None or self._process.returncode is not None:
                    raise ChildFailed(f"{self.name} did not start; the end of {self._log}:\n{self._last_words()}")
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Ask it to end, and see to it."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


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
