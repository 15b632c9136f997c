"""The proxy: terminates TLS for Google's hosts, injects faults, passes requests to their APIs and records them."""

import contextlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.deploy.stub import apis, control
from tests.deploy.stub.certificate import server_context
from tests.deploy.stub.wire import Call, Json, Raw, Refused
from tests.deploy.stub.world import PROJECT, World


@dataclass
class Fault:
    """Answer the next `n` requests whose `METHOD host/path?query` matches with this error; code 0 hangs up."""

    match: str
    n: int = 1
    code: int = 503
    message: str = "injected"
    status: str = ""

    def hits(self, call: Call) -> bool:
        return self.n > 0 and bool(re.search(self.match, f"{call.method} {call.host}{call.target}"))


class Stub:
    """Google's APIs for one project: what exists, what was asked, and injected faults."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.world = World()
        self.faults: list[Fault] = []
        self._requests: list[Json] = []
        #: By the number of a command (see memory.py): what it asked, and how that was answered.
        self._commands: dict[str, list[tuple[Call, Raw]]] = {}
        self._lock = threading.RLock()
        self._log = folder / "requests.jsonl"
        self.context: ssl.SSLContext = server_context(folder)
        (folder / "token").write_text("stub-token")

    def answer(self, call: Call) -> Raw | None:
        """Answer and record one request; None hangs up."""
        with self._lock:
            if call.host == "stub.local":
                return control.answer(self, call)
            try:
                self._fail(call)
                raw = self._answered(call)
            except Refused as refused:
                raw = Raw(json.dumps(refused.body()).encode(), code=refused.code)
            self._record(call, raw.code)
            if number := call.headers.get("x-goog-request-reason"):
                self._commands.setdefault(number, []).append((call, raw))
            return raw if raw.code else None

    def answers_again(self, number: str) -> bool:
        """Answer all that this command asked once more, and record it; unless an answer would be another one now."""
        with self._lock:
            asked = self._commands.get(number, [])
            if not asked or any(self._would_differ(call, raw) for call, raw in asked):
                return False
            for call, raw in asked:
                self._record(call, raw.code)
            return True

    def requests(self, pattern: str = "") -> list[Json]:
        """Every recorded request whose `METHOD host/path?query` matches, in order."""
        with self._lock:
            return [line for line in self._requests if re.search(pattern, _line(line))]

    def mutations(self, pattern: str = "") -> list[Json]:
        """Those that would change something, refused ones too."""
        return [line for line in self.requests(pattern) if line["mutating"]]

    def state(self) -> Json:
        """`resources` and `policies` by full name, `apis`, `agents`."""
        with self._lock:
            return self.world.state()

    def fault(self, match: str, n: int = 1, code: int = 503, message: str = "injected", status: str = "") -> None:
        """Fail the next n matching requests."""
        with self._lock:
            self.faults.append(Fault(match, n, code, message, status))

    def drift(self, name: str, change: Json | None) -> None:
        """Change a resource directly (null deletes a field); None deletes it."""
        with self._lock:
            control.drift(self.world, {"resource": name, "set": change})

    def drift_policy(self, name: str, verb: str, role: str, member: str) -> None:
        """`add` or `remove` one cell of a policy, without any of the rules."""
        with self._lock:
            control.drift(self.world, {"policy": name, verb: [role, member]})

    def enable(self, *apis: str) -> None:
        """Enable APIs by their short names, as if done before."""
        with self._lock:
            self.world.apis.update(f"{name}.googleapis.com" for name in apis)

    def restrict(self) -> None:
        """The organisation admits members of its own domain only, until `forget`."""
        self.world.is_restricted = True

    def forget(self) -> None:
        """Drop what was recorded and injected faults; keep what exists."""
        with self._lock:
            self._requests.clear()
            self.faults.clear()
            self.world.is_restricted = False

    def reset(self) -> None:
        """An empty project again, and nothing recorded."""
        with self._lock:
            self.forget()
            self.world.reset()

    def _would_differ(self, call: Call, raw: Raw) -> bool:
        """Whether this call would be answered otherwise; only for calls that change nothing."""
        if call.mutating or any(fault.hits(call) for fault in self.faults):
            return True
        try:
            return self._answered(call) != raw
        except Refused:
            return True

    def _answered(self, call: Call) -> Raw:
        found = apis.answer(self.world, call)
        return found if isinstance(found, Raw) else Raw(json.dumps(found).encode())

    def _fail(self, call: Call) -> None:
        for fault in self.faults:
            if fault.hits(call):
                fault.n -= 1
                raise Refused(fault.code, fault.message, fault.status)

    def _record(self, call: Call, code: int) -> None:
        url = urlsplit(call.target)
        line = {
            "method": call.method,
            "host": call.host,
            "path": url.path,
            "query": url.query,
            "body": call.body,
            "status": code,
        }
        self._requests.append({**line, "mutating": call.mutating})
        with self._log.open("a") as log:
            log.write(json.dumps(self._requests[-1]) + "\n")


def _line(request: Json) -> str:
    return f"{request['method']} {request['host']}{request['path']}?{request['query']}"


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client: plain requests for stub.local, a tunnel for everything else."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stub: Stub
    _host = ""

    def do_CONNECT(self) -> None:
        self._host = self.path.partition(":")[0]
        if not Call("CONNECT", self._host, "/").api:
            self._send(self.stub.answer(Call("CONNECT", self._host, "/")))
            self.close_connection = True
            return
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            self.connection = self.stub.context.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
            return
        self.close_connection = True

    def _any(self) -> None:
        raw = self._body()
        url = urlsplit(self.path)
        host = self._host or url.hostname or "stub.local"
        target = url._replace(scheme="", netloc="").geturl()
        self._send(self.stub.answer(Call(self.command, host, target, {k.lower(): v for k, v in self.headers.items()}, raw)))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, answer: Raw | None) -> None:
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.code)
        headers = {"content-type": "application/json", **answer.headers, "content-length": str(len(answer.body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().finish()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Stay silent: every request is in requests.jsonl."""


@contextlib.contextmanager
def serving(stub: Stub, port: int = 0) -> Iterator[Stub]:
    """Listen on loopback; port 0 takes a free one."""
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"stub": stub}))
    server.daemon_threads = True
    stub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def environment(stub: Stub) -> dict[str, str]:
    """Variables for gcloud. `http_proxy` and similar variables must be unset too."""
    return {
        "CLOUDSDK_PROXY_TYPE": "http",
        "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
        "CLOUDSDK_PROXY_PORT": str(stub.port),
        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": str(stub.folder / "ca.pem"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(stub.folder / "token"),
        "CLOUDSDK_CONFIG": str(stub.folder / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
        # Each command would write files of logs and of surveys, which no test reads.
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "true",
        "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "true",
        "NO_GCE_CHECK": "true",
    }
