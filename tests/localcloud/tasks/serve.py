"""Cloud Tasks in a process that a test can kill: `serve.py DATA PORT`."""

import asyncio
import sys
from pathlib import Path

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from localcloud.server import HttpServer
from localcloud.tasks import Tasks


async def _serve(data: Path, port: int) -> None:
    clock = SystemClock()
    tasks = Tasks(data / "tasks", clock, Accounts(data / "keys", "local-project", f"http://127.0.0.1:{port}", clock))
    server = HttpServer(tasks.app, port, "Cloud Tasks")
    await server.start()
    await tasks.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
