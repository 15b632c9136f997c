"""What the tests of Cloud Tasks need around them: the service in a thread, and a target that it calls."""

import asyncio
import contextlib
import http.server
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2

from local.accounts import Accounts
from local.clock import Clock, TurnedClock
from local.server import HttpServer
from local.tasks import Tasks

LOCATION = "projects/local-project/locations/us-central1"
PATIENCE_SECONDS = 10.0

T = TypeVar("T")


def wait_for(found: Callable[[], T], what: str) -> T:
    """The first true result; fails when there is none for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(0.005)
    return result


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


@dataclass
class Received:
    """A request that reached the target."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Target:
    """An HTTP server that answers as told: `replies` one by one (status and headers), then 200."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    replies: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    most_at_once: int = 0
    #: Closed: requests are held until it opens.
    gate: threading.Event = field(default_factory=threading.Event)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, count: int) -> list[Received]:
        """All requests, once there are so many."""
        return wait_for(lambda: list(self.received) if len(self.received) >= count else [], f"{count} requests")

    def answer(self, request: Received) -> tuple[int, dict[str, str]]:
        """Note the request and choose its answer."""
        with self._lock:
            self.received.append(request)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            reply = self.replies.pop(0) if self.replies else (200, {})
        self.gate.wait(PATIENCE_SECONDS)
        with self._lock:
            self._now -= 1
        return reply


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of callers that were killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextlib.contextmanager
def listening() -> Iterator[Target]:
    """A target on a port of its own."""
    target = Target()
    target.gate.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, headers = target.answer(Received(self.command, self.path, dict(self.headers), body))
            with contextlib.suppress(OSError):  # the caller may have given up
                self.send_response(status)
                for name, value in ({"Content-Length": "0"} | headers).items():
                    self.send_header(name, value)
                self.end_headers()

        do_POST = do_PUT = do_GET = do_DELETE = do_PATCH = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    target.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield target
    finally:
        target.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
