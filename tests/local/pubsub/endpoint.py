"""An HTTP server to push to, and the patience that it takes."""

import contextlib
import http.server
import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

PATIENCE_SECONDS = 10.0
PROCESSING = 102

T = TypeVar("T")


def wait_for(found: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """The first true result; fails when there is none for a while."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(0.005)
    return result


@dataclass
class Pushed:
    """A request that reached the endpoint."""

    headers: dict[str, str]
    body: bytes

    @property
    def envelope(self) -> Any:
        """The JSON around a wrapped message."""
        return json.loads(self.body)

    @property
    def data(self) -> bytes:
        """The data of a wrapped message."""
        return b64decode(self.envelope["message"]["data"])


@dataclass
class Endpoint:
    """An HTTP server that answers as told: `replies` one by one, then `status`."""

    url: str = ""
    status: int = 204
    replies: list[int] = field(default_factory=list)
    received: list[Pushed] = field(default_factory=list)
    most_at_once: int = 0
    #: Closed: requests are held until it opens.
    gate: threading.Event = field(default_factory=threading.Event)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, count: int) -> list[Pushed]:
        """All requests, once there are so many."""
        return wait_for(lambda: list(self.received) if len(self.received) >= count else [], f"{count} pushes")

    def answer(self, request: Pushed) -> int:
        """Note the request and choose its answer."""
        with self._lock:
            self.received.append(request)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            status = self.replies.pop(0) if self.replies else self.status
        self.gate.wait(PATIENCE_SECONDS)
        with self._lock:
            self._now -= 1
        return status


@contextlib.contextmanager
def listening() -> Iterator[Endpoint]:
    """An endpoint on a port of its own."""
    endpoint = Endpoint()
    endpoint.gate.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status = endpoint.answer(Pushed({name.lower(): value for name, value in self.headers.items()}, body))
            with contextlib.suppress(OSError):  # the caller may have given up
                if status == PROCESSING:  # as the only answer, which the standard library would not send
                    self.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\n")
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield endpoint
    finally:
        endpoint.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
