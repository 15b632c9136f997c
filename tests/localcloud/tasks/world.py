"""What the tests of Cloud Tasks need around them: the service in a thread, as its clients see it."""

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Coroutine, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2

from localcloud.accounts import Accounts
from localcloud.clock import Clock, TurnedClock
from localcloud.http import App
from localcloud.server import HttpServer
from localcloud.tasks import Tasks
from tests.localcloud.target import PATIENCE_SECONDS
from tests.ports import free_port

LOCATION = "projects/local-project/locations/us-central1"


def client_of(port: int) -> tasks_v2.CloudTasksClient:
    """Google's client, pointed at the local service."""
    options = {"api_endpoint": f"http://127.0.0.1:{port}"}
    return tasks_v2.CloudTasksClient(transport="rest", credentials=AnonymousCredentials(), client_options=options)


@dataclass
class World:
    """The running service: where it listens, its clock and its accounts."""

    port: int
    clock: Clock
    accounts: Accounts
    loop: asyncio.AbstractEventLoop
    client: tasks_v2.CloudTasksClient

    def turn(self, seconds: float) -> None:
        """Let time pass, for a world that has a turned clock."""
        assert isinstance(self.clock, TurnedClock)
        self._wait(self.clock.turn(seconds))

    def queue(self, id_: str, **settings: Any) -> str:
        """Create a queue; its full name."""
        return str(
            self.client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=f"{LOCATION}/queues/{id_}", **settings)).name
        )

    def task(self, queue: str, url: str, id_: str = "", **settings: Any) -> str:
        """Create a task; its full name."""
        request = {"url": url, **settings.pop("http_request", {})}
        name = {"name": f"{queue}/tasks/{id_}"} if id_ else {}
        return str(self.client.create_task(parent=queue, task=tasks_v2.Task(http_request=request, **name, **settings)).name)

    def clear(self) -> None:
        """Delete every queue."""
        for location in self.client.list_locations({"name": "projects/local-project"}).locations:
            for queue in self.client.list_queues(parent=location.name):
                self.client.delete_queue(name=queue.name)

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)


def is_gone(world: World, name: str) -> bool:
    """Whether the task is done, given up or deleted."""
    try:
        world.client.get_task(name=name)
    except exceptions.NotFound:
        return True
    return False


def raw(world: World, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """One request as it is given; status and JSON of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    status, content = response.status, json.loads(response.read())
    connection.close()
    return status, content


async def request(app: App, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    """One request to an ASGI app in this event loop; status and body of the answer."""
    scope = {"type": "http", "scheme": "http", "method": method, "raw_path": path.encode(), "query_string": b"", "headers": []}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(event: MutableMapping[str, Any]) -> None:
        sent.append(event)

    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@contextlib.contextmanager
def running(data: Path, clock: Clock) -> Iterator[World]:
    """The service with its files under `data`, in a thread with a loop of its own."""
    loop, port = asyncio.new_event_loop(), free_port()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    accounts = Accounts(data / "keys", "local-project", f"http://127.0.0.1:{port}", clock)

    async def start() -> tuple[Tasks, HttpServer]:
        tasks = Tasks(data / "tasks", clock, accounts)
        server = HttpServer(tasks.app, port, "Cloud Tasks")
        await server.start()
        await tasks.start()
        return tasks, server

    async def stop(tasks: Tasks, server: HttpServer) -> None:
        await tasks.stop()
        await server.stop()

    client = client_of(port)
    started = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE_SECONDS)
    try:
        yield World(port, clock, accounts, loop, client)
    finally:
        client.transport.close()
        asyncio.run_coroutine_threadsafe(stop(*started), loop).result(PATIENCE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
