"""An HTTP server for the calls of the services under test."""

import contextlib
import http.server
import json
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from requests.structures import CaseInsensitiveDict

from tests.eventually import eventually

PATIENCE_SECONDS = 60.0
PROCESSING = 102


@dataclass
class Received:
    """A request that reached the target."""

    method: str
    path: str
    headers: CaseInsensitiveDict[str]
    body: bytes

    @property
    def envelope(self) -> Any:
        """The JSON body of a push from Pub/Sub."""
        return json.loads(self.body)

    @property
    def data(self) -> bytes:
        """The data of the pushed message."""
        return b64decode(self.envelope["message"]["data"])


@dataclass
class Target:
    """An HTTP server with scripted answers: each of `replies` (a status, or status and headers) once, then `status`."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    replies: list[int | tuple[int, dict[str, str]]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    most_at_once: int = 0
    #: Closed: requests are held until it opens.
    gate: threading.Event = field(default_factory=threading.Event)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, count: int) -> list[Received]:
        """All requests, as soon as `count` have arrived."""
        return eventually(lambda: list(self.received) if len(self.received) >= count else [], f"{count} requests")

    def answer(self, request: Received) -> tuple[int, dict[str, str]]:
        """Record the request and choose its answer."""
        with self._lock:
            self.received.append(request)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            reply = self.replies.pop(0) if self.replies else self.status
        self.gate.wait(PATIENCE_SECONDS)
        with self._lock:
            self._now -= 1
        return reply if isinstance(reply, tuple) else (reply, {})


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections broken by killed callers."""
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
            status, headers = target.answer(Received(self.command, self.path, CaseInsensitiveDict(self.headers.items()), body))
            with contextlib.suppress(OSError):  # the caller may have given up
                if status == PROCESSING:  # as the only answer, which the standard library would not send
                    self.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\n")
                    return
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(target.body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(target.body)

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
