"""Receivers of webhooks on this computer, which keep what came and answer as the test says."""

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: A secret made by hand: the base64 of 32 bytes.
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass(frozen=True)
class Posted:
    """A request that came: its path, its headers in lower case, its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """A server on a port of its own. Each request gets this status, these headers (`answers`) and this body."""

    status: int = 204
    answers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    posted: list[Posted] = field(default_factory=list)
    #: the ids of the requests that were answered with 2xx
    took: list[str] = field(default_factory=list)
    port: int = 0
    #: called for each request before the answer
    meanwhile: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?for=sluice"

    def toml(self, name: str, secret: str = "env:SLUICE_SECRET_TEST", more: str = "") -> str:
        """Its table in pipeline.toml."""
        return f'\n[webhooks.{name}]\nurl = "{self.url}"\nsecret = "{secret}"\n{more}\n'


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """Serve meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.posted.append(Posted(self.path, headers, data))
            receiver.meanwhile()
            status = receiver.status
            if 200 <= status < 300:
                receiver.took.append(headers["webhook-id"])
            self.send_response(status)
            for name, value in receiver.answers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
