"""HTTP servers in the local cloud's event loop: uvicorn on a socket of our own."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from localcloud.address import HOST
from localcloud.errors import CannotRun
from localcloud.tls import TlsFiles

_HANG_UP_SECONDS = 1.0
#: The key of a request's scope extensions that holds its connection's abort().
ABORT = "localcloud.abort"


class PortInUse(CannotRun):
    """A port cannot be opened, most often because another program listens on it."""

    def __init__(self, port: int, purpose: str, error: OSError) -> None:
        found = "is in use; stop what holds it" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
        super().__init__(f"port {port} ({purpose}) {found}, or move every port: --port-offset 1000")
        self.port = port


class HttpServer:
    """One ASGI app on one loopback port, with TLS when `tls` is given."""

    def __init__(self, app: Any, port: int, purpose: str, tls: TlsFiles | None = None) -> None:
        self._port = port
        self._purpose = purpose
        config = uvicorn.Config(
            app,
            lifespan="off",
            http=_Protocol,
            interface="asgi3",
            ws="none",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=120,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        self._server = _LoopServer(config)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns once connections are accepted. Raises `PortInUse`."""
        listener = bind(self._port, self._purpose)
        self._running = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._running.done():
                await self._running
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close the port and every connection."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._running:
            await self._running
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Break every open connection, and wait for their tasks: a cancelled task would print an error."""
        state = self._server.server_state
        for connection in list(state.connections):
            transport = getattr(connection, "transport", None)
            if transport:
                transport.abort()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=_HANG_UP_SECONDS)


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol; a request can also break its connection: `scope["extensions"][ABORT]["abort"]()`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}

    def on_headers_complete(self) -> None:
        # Clients whose emulator host ends with a slash ask for `//storage/v1/b`. No path of these services begins with two.
        if self.url.startswith(b"//"):
            self.url = b"/" + self.url.lstrip(b"/")
        super().on_headers_complete()


class _LoopServer(uvicorn.Server):
    """uvicorn's server without its signal handlers: the process that owns the loop owns its signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(port: int, purpose: str) -> socket.socket:
    """A listening loopback socket. Raises `PortInUse` with the port and its purpose."""
    # asyncio switches off Nagle's algorithm only where the protocol is named; with it, each keep-alive answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortInUse(port, purpose, error) from None
    listener.listen(2048)
    listener.setblocking(False)
    return listener
