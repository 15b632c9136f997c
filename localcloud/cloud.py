"""The three services, started and stopped together in one event loop."""

import asyncio
import json
from pathlib import Path
from typing import Any

from localcloud import guard
from localcloud.accounts import Accounts
from localcloud.address import HOST, PROJECT, Ports
from localcloud.calls import CALLS_PATH, calls_control
from localcloud.clock import Clock, SystemClock
from localcloud.control import Control, with_control
from localcloud.disk import room_to_start
from localcloud.faults.calls import with_faults
from localcloud.faults.control import FAULTS_PATH, faults_control
from localcloud.faults.messages import MessageFaults
from localcloud.faults.rpc import Interceptor
from localcloud.faults.rules import Faults
from localcloud.folder import claim
from localcloud.guard import guarded
from localcloud.http import App, Scope
from localcloud.pubsub import PubSub
from localcloud.rpc import GrpcServer
from localcloud.server import HttpServer
from localcloud.storage import Storage
from localcloud.storage.routes import json_segments
from localcloud.tasks import Tasks
from localcloud.tls import tls_files


class LocalCloud:
    """Cloud Storage, Pub/Sub and Cloud Tasks on loopback, with their state in the folder `data`."""

    def __init__(self, data: Path, ports: Ports | None = None, clock: Clock | None = None) -> None:
        """Claim the folder, until `stop`. Raises `CannotRun`, such as `FolderInUse`, `WrongLayout`, or for a full disk."""
        with room_to_start(data):
            self._claim = claim(data)
            self.data = data = data.resolve()
            self.ports = ports or Ports()
            self.clock = clock or SystemClock()
            issuer = f"http://{HOST}:{self.ports.tasks}"
            self.accounts = Accounts(data / "keys", PROJECT, issuer, self.clock)
            self.tls = tls_files(data / "tls")
            self.faults = Faults()
            self.pubsub = PubSub(data / "pubsub", self.clock, self.accounts)
            # A hook slows publishing down: it is set with the first rule on messages.
            self.faults.on_messages = lambda: self.pubsub.set_publish_hook(
                MessageFaults("messages", self.faults, self.clock).admit
            )
            self._notifications = MessageFaults("notifications", self.faults, self.clock)
            self.storage = Storage(data / "storage", self.clock, self.accounts, self._notify)
            self.tasks = Tasks(data / "tasks", self.clock, self.accounts)
            storage, pubsub, tasks = self._apps()
            self._servers: list[HttpServer | GrpcServer] = [
                HttpServer(storage, self.ports.storage, "Cloud Storage"),
                HttpServer(storage, self.ports.storage_tls, "Cloud Storage, https", self.tls),
                HttpServer(pubsub, self.ports.pubsub, "Pub/Sub REST"),
                HttpServer(pubsub, self.ports.pubsub_tls, "Pub/Sub REST, https", self.tls),
                HttpServer(tasks, self.ports.tasks, "Cloud Tasks"),
                GrpcServer(self.pubsub.grpc_handlers(), self.ports.pubsub_grpc, "Pub/Sub gRPC", [self._interceptor("pubsub")]),
                GrpcServer(self.tasks.grpc_handlers(), self.ports.tasks_grpc, "Cloud Tasks gRPC", [self._interceptor("tasks")]),
            ]

    async def start(self) -> None:
        """Open every port, then begin to deliver. Raises `PortInUse`, or `CannotRun`, with nothing left running."""
        opening = asyncio.ensure_future(self._open())
        try:
            # A cancellation waits until all is open: grpc cannot close a server that is half started.
            await asyncio.shield(opening)
        except BaseException:
            await asyncio.gather(opening, return_exceptions=True)
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every port, then stop delivering; what was acknowledged is on disk."""
        for server in self._servers:
            await server.stop()
        for service in (self.tasks, self.storage, self.pubsub):
            await service.stop()
        self._claim.close()

    async def _open(self) -> None:
        for server in self._servers:
            await server.start()
        with room_to_start(self.data):
            for service in (self.pubsub, self.storage, self.tasks):
                await service.start()

    def _apps(self) -> tuple[App, App, App]:
        """The three services, each behind its fault rules and the guard against web pages."""
        storage, pubsub = self._with_faults("storage", self.storage.app), self._with_faults("pubsub", self.pubsub.app)
        tasks = _with_certificates(self._with_faults("tasks", self.tasks.app), self.accounts)
        tasks = with_control(tasks, self._controls())
        return (
            guarded(storage, guard.STORAGE, needs_json=_is_metadata, checks_origins=True),
            guarded(pubsub, guard.LOOPBACK, needs_json=lambda _scope: True),
            guarded(tasks, guard.LOOPBACK, needs_json=lambda scope: not scope["path"].endswith(":buffer")),
        )

    def _controls(self) -> dict[str, Control]:
        served = {"storage": self.storage.calls, "pubsub": self.pubsub.calls, "tasks": self.tasks.calls}
        return {FAULTS_PATH: faults_control(self.faults), CALLS_PATH: calls_control(served)}

    def _with_faults(self, service: str, app: Any) -> Any:
        return with_faults(app, service, self.faults, self.clock)

    def _interceptor(self, service: str) -> Interceptor:
        return Interceptor(service, self.faults, self.clock)

    async def _notify(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        """Hand a bucket's notification to Pub/Sub, unless a fault rule takes it over."""

        async def publish() -> str:
            return await self.pubsub.publish(topic, data, attributes)

        return await publish() if await self._notifications.admit(topic, publish) else "taken over"


def _is_metadata(scope: Scope) -> bool:
    """Whether Cloud Storage's JSON API takes JSON or a batch here; uploads take every type."""
    segments = json_segments(scope["raw_path"].decode("latin-1"))
    return segments is not None and segments[0] != "upload"


def _with_certificates(app: Any, accounts: Accounts) -> Any:
    """Serve the issuer's certificates beside the app, where Google would: `/oauth2/v1/certs`."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/oauth2/v1/certs":
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"public, max-age=3600")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(accounts.certificates()).encode()})

    return wrapped
