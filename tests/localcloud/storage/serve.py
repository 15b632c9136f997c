"""Cloud Storage in its own process, for tests that kill it: `serve.py FOLDER PORT`.

It writes messages to FOLDER/published.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from localcloud.errors import ApiError
from localcloud.server import HttpServer
from localcloud.storage import Storage


async def serve(folder: Path, port: int) -> None:
    """Serve until killed or interrupted; topics exist only while the file FOLDER/topics exists."""
    clock = SystemClock()
    accounts = Accounts(folder / "keys", "local-project", "http://127.0.0.1:1", clock)

    async def publish(topic: str, data: bytes, attributes: dict[str, str]) -> str:
        if not (folder / "topics").exists():
            raise ApiError("NOT_FOUND", f"no topic {topic} for {len(data)} bytes")
        with (folder / "published").open("a") as file:
            file.write(json.dumps(attributes) + "\n")
        return "1"

    storage = Storage(folder / "storage", clock, accounts, publish)
    server = HttpServer(storage.app, port, "storage")
    await server.start()
    await storage.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    await stopped.wait()
    await server.stop()
    await storage.stop()


asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
