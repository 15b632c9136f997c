"""Pub/Sub alone in a process that a test can kill: `python serve.py DATA GRPC_PORT PORT`."""

import asyncio
import sys
from pathlib import Path

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from localcloud.pubsub import PubSub
from tests.localcloud.pubsub.world import open_ports


async def _serve(data: Path, grpc_port: int, port: int) -> None:
    clock = SystemClock()
    accounts = Accounts(data / "keys", "local-project", f"http://127.0.0.1:{port}", clock)
    ports = await open_ports(PubSub(data / "pubsub", clock, accounts), grpc_port, port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    del ports


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
