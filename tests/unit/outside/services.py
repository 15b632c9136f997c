"""A server that answers with bytes made by hand, for steps outside the sandbox."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from shared import origins
from shared.model import LIMITS
from shared.outside.reach import Reach
from shared.outside.sockets import Address

#: Of one connection: it reads the request as it likes, and writes the answer.
Talk = Callable[[socket.socket], None]
SECONDS = 20


@dataclass
class Server:
    """A server on a port of its own. `received` has the requests as bytes."""

    port: int
    received: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def reach(self) -> Reach:
        """A step that may call this server, and asks it as its clamd."""
        own = frozenset({origins.of(self.url)})
        limits = replace(LIMITS, seconds=SECONDS, output_bytes=1 << 20)
        return Reach(Address("127.0.0.1", self.port), own, {}, limits, time.monotonic() + SECONDS)


@contextmanager
def serving(*talks: Talk) -> Iterator[Server]:
    """A server whose first connection is this talk, and so on; the last one goes on for all others."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, server, talks))
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, server: Server, talks: tuple[Talk, ...]) -> None:
    waiting = list(talks)
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.settimeout(SECONDS)
                talk = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                talk(_Recording(connection, server.received))  # type: ignore[arg-type]


class _Recording:
    """A connection whose received bytes are kept, as one request."""

    def __init__(self, connection: socket.socket, received: list[bytes]) -> None:
        self._connection, self._received = connection, received
        received.append(b"")

    def recv(self, size: int) -> bytes:
        block = self._connection.recv(size)
        self._received[-1] += block
        return block

    def detached(self) -> socket.socket:
        """The connection itself, without a record."""
        return self._connection

    def sendall(self, data: bytes) -> None:
        self._connection.sendall(data)


def request(connection: socket.socket) -> bytes:
    """Read one HTTP request with a Content-Length; its body."""
    held = b""
    while b"\r\n\r\n" not in held:
        held += connection.recv(65536)
    head, _, body = held.partition(b"\r\n\r\n")
    size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < size and (block := connection.recv(65536)):
        body += block
    return body


def answering(answer: bytes) -> Talk:
    """Read a request, then answer so."""

    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(answer)

    return talk


def ok(body: bytes, content_type: str = "application/json") -> bytes:
    """An answer with status 200."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def written(folder: Path, data: bytes) -> Path:
    """A file of these bytes."""
    path = folder / "source"
    path.write_bytes(data)
    return path
