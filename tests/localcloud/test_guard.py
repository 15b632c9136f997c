"""Web pages cannot drive the local cloud: raw requests to each of its HTTP ports."""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

import pytest

from localcloud.address import Ports
from localcloud.guard import LOOPBACK, guarded
from localcloud.http import Receive, Scope, Send, json_bytes_answer, send_answer
from tests.localcloud.asgi import call
from tests.localcloud.target import Target, listening
from tests.machine import Machine, running

TASKS = "/v2/projects/local-project/locations/us-central1/queues"
TOPIC = "/v1/projects/local-project/topics/guarded"
#: Port and a request that reads.
DOORS = {
    "storage": "/storage/v1/b?project=local-project",
    "storage_tls": "/storage/v1/b?project=local-project",
    "pubsub": "/v1/projects/local-project/topics",
    "pubsub_tls": "/v1/projects/local-project/topics",
    "tasks": TASKS,
    "faults": "/local/faults",
    "calls": "/local/calls",
    "certificates": "/oauth2/v1/certs",
}
#: Port and a request that writes JSON.
WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "storage": ("POST", "/storage/v1/b?project=local-project", {"name": "guarded-by-type"}),
    "storage ": ("POST", "/b?project=local-project", {"name": "guarded-by-type"}),
    "storage  ": ("POST", "/resumable/storage/v1/b?project=local-project", {"name": "guarded-by-type"}),
    "storage   ": ("POST", "/batch/storage/v1", {}),
    "storage    ": ("POST", "//storage/v1/b?project=local-project", {"name": "guarded-by-type"}),
    "pubsub": ("PUT", TOPIC, {"labels": {"a": "b"}}),
    "pubsub_tls": ("PUT", TOPIC, {"labels": {"a": "b"}}),
    "tasks": ("POST", TASKS, {"name": f"{TASKS[4:]}/guarded"}),
    "faults": ("POST", "/local/faults", {"kind": "delay", "place": "storage", "match": "never", "seconds": 1}),
}
OUR_HOSTS = ["127.0.0.1", "127.0.0.1:80", "localhost", "LOCALHOST:9000", "[::1]", "[::1]:9000"]
FOREIGN_HOSTS = ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:9000", "10.0.0.1", "evil.test:127", "0.0.0.0", ""]
STORAGE_HOSTS = ["storage.googleapis.com", "a-bucket.storage.googleapis.com", "a.b.storage.googleapis.com:443", "x.localhost"]
OUR_ORIGINS = ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:1", "http://app.localhost"]
FOREIGN_ORIGINS = [
    "https://evil.test",
    "null",
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test",
    "file://",
    "http://10.0.0.1",
]
PAGE_TYPES = ["text/plain", "Text/Plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(Machine(tmp_path_factory.mktemp("guard"), cloud_only=True)) as machine:
        yield machine


@pytest.fixture
def target() -> Iterator[Target]:
    with listening() as found:
        yield found


def port_of(door: str, ports: Ports) -> int:
    name = door.strip()
    return ports.tasks if name in ("faults", "calls", "certificates") else int(getattr(ports, name))


def send(
    machine: Machine, door: str, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One raw request; its status, headers and body."""
    port = port_of(door, Ports(machine.offset))
    given = {"Host": f"127.0.0.1:{port}", "Connection": "close"} | headers
    if body is not None:
        given |= {"Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        connection = _over_tls(plain) if door.endswith("_tls") else plain
        connection.sendall("\r\n".join(lines).encode("latin-1") + (body or b""))
        answer = HTTPResponse(connection, method=method)
        answer.begin()
        read = answer.read()
        if connection is not plain:
            connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, read


def _over_tls(plain: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


@pytest.mark.parametrize("door", DOORS)
def test_a_foreign_host_is_refused(machine: Machine, door: str) -> None:
    for host in FOREIGN_HOSTS:
        status, _, body = send(machine, door, "GET", DOORS[door], {"Host": host})

        error = json.loads(body)["error"]
        assert (status, error["status"]) == (403, "PERMISSION_DENIED"), host
        assert error["message"].endswith("is refused: send 127.0.0.1, localhost or [::1], with any port.")
        assert host in error["message"]


@pytest.mark.parametrize("door", DOORS)
def test_the_hosts_of_this_machine_are_served(machine: Machine, door: str) -> None:
    assert {host: send(machine, door, "GET", DOORS[door], {"Host": host})[0] for host in OUR_HOSTS} == dict.fromkeys(
        OUR_HOSTS, 200
    )


@pytest.mark.parametrize("door", DOORS)
def test_only_storage_is_served_under_the_names_of_cloud_storage(machine: Machine, door: str) -> None:
    expected = 200 if door.startswith("storage") else 403
    hosts = ["www.googleapis.com", *STORAGE_HOSTS]

    assert {host: send(machine, door, "GET", DOORS[door], {"Host": host})[0] for host in hosts} == dict.fromkeys(
        hosts, expected
    )


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("door", DOORS)
def test_a_page_of_a_foreign_origin_reads_and_changes_nothing(machine: Machine, door: str, method: str) -> None:
    for origin in FOREIGN_ORIGINS:
        status, headers, body = send(
            machine, door, method, DOORS[door], {"Origin": origin}, b"{}" if method == "POST" else None
        )

        # Cloud Storage answers every preflight; without a header that allows something it is a refusal.
        assert status == (200 if method == "OPTIONS" and door.startswith("storage") else 403), origin
        assert not [name for name in headers if name.startswith("access-control")]
        assert method == "OPTIONS" or f"Origin {origin!r} is refused" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize("door", DOORS)
def test_a_page_of_this_machine_is_served(machine: Machine, door: str) -> None:
    for origin in OUR_ORIGINS:
        status, headers, _ = send(machine, door, "GET", DOORS[door], {"Origin": origin})

        assert status == 200, origin
        assert headers.get("access-control-allow-origin") == (origin if door.startswith("storage") else None)


@pytest.mark.parametrize("door", WRITES)
def test_json_under_the_type_of_a_form_is_refused(machine: Machine, door: str) -> None:
    method, path, content = WRITES[door]
    body = json.dumps(content).encode()
    for content_type in PAGE_TYPES:
        status, _, answer = send(machine, door, method, path, {"Content-Type": content_type}, body)

        error = json.loads(answer)["error"]
        assert (status, error["status"]) == (400, "INVALID_ARGUMENT"), content_type
        assert "send the header `Content-Type: application/json`" in error["message"]


def test_a_chunked_body_is_refused_too(machine: Machine) -> None:
    headers = {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}
    body = b"2\r\n{}\r\n0\r\n\r\n"
    port = Ports(machine.offset).tasks
    lines = [f"POST {TASKS} HTTP/1.1", f"Host: localhost:{port}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)

        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "application/json"}, {"Content-Type": "application/json; charset=utf-8"}, {}]
)
def test_json_is_accepted_as_json_or_without_a_type(machine: Machine, headers: dict[str, str]) -> None:
    for door in ("storage", "pubsub", "tasks", "faults"):
        method, path, content = WRITES[door]
        status, _, answer = send(machine, door, method, path, headers, json.dumps(content).encode())

        assert status in (200, 409), answer


@pytest.mark.parametrize("content_type", PAGE_TYPES)
def test_a_write_without_a_body_needs_no_type(machine: Machine, content_type: str) -> None:
    send(machine, "tasks", "POST", TASKS, {}, json.dumps(WRITES["tasks"][2]).encode())

    assert send(machine, "tasks", "POST", f"{TASKS}/guarded:pause", {"Content-Type": content_type}, b"")[0] == 200


def test_a_program_may_buffer_any_type_and_a_page_none(machine: Machine, target: Target) -> None:
    host, port = target.url.removeprefix("http://").split(":")
    override = {"scheme": "HTTP", "host": host, "port": port, "pathOverride": {"path": "/hook"}}
    queue = {"name": f"{TASKS[4:]}/buffering", "httpTarget": {"uriOverride": override}}
    assert send(machine, "tasks", "POST", TASKS, {}, json.dumps(queue).encode())[0] == 200
    path, text = f"{TASKS}/buffering/tasks:buffer", {"Content-Type": "text/plain"}

    assert send(machine, "tasks", "POST", path, text, b"words")[0] == 200
    assert send(machine, "tasks", "POST", path, text | {"Origin": "https://evil.test"}, b"words")[0] == 403
    assert send(machine, "tasks", "POST", path, text | {"Origin": "null"}, b"words")[0] == 403


def test_an_upload_may_have_any_type(machine: Machine) -> None:
    send(machine, "storage", "POST", "/storage/v1/b?project=local-project", {}, b'{"name": "guarded-upload"}')
    send(machine, "storage", "POST", "/storage/v1/b?project=local-project", {}, b'{"name": "batch"}')
    for content_type in PAGE_TYPES:
        path = "/upload/storage/v1/b/guarded-upload/o?uploadType=media&name=x"

        assert send(machine, "storage", "POST", path, {"Content-Type": content_type}, b"words")[0] == 200
        assert send(machine, "storage", "PUT", "/batch/x", {"Content-Type": content_type}, b"words")[0] == 200


def test_a_form_without_content_length_is_refused_too() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_answer(json_bytes_answer(b"{}"), send)

    headers = {"host": "localhost", "content-type": "text/plain", "transfer-encoding": "chunked"}
    guard = guarded(app, LOOPBACK, needs_json=lambda _scope: True)
    status, _ = asyncio.run(call(guard, "POST", "/", b"{}", headers))

    assert status == 400
