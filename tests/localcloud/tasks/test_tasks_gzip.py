"""Compressed request bodies, byte for byte as Java's client sends them: chunked gzip."""

import gzip
import json
import socket
from typing import Any

import pytest

from tests.localcloud.target import Target
from tests.localcloud.tasks.world import World

URL = "http://127.0.0.1:9/never-called"
TASK = json.dumps({"task": {"httpRequest": {"url": URL, "headers": {"X-A": "é" * 500}}}}).encode()


@pytest.fixture
def paused(world: World) -> str:
    name = world.queue("paused")
    world.client.pause_queue(name=name)
    return name


def post(world: World, path: str, body: bytes, *lines: str) -> tuple[int, Any]:
    """Send the request; status and JSON of the answer."""
    head = [f"POST /v2/{path} HTTP/1.1", "Host: 127.0.0.1", "Accept-Encoding: gzip", "Connection: close", *lines]
    with socket.create_connection(("127.0.0.1", world.port)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        answer = connection.makefile("rb").read()
    headers, _, content = answer.partition(b"\r\n\r\n")
    return int(headers.split()[1]), json.loads(content)


def chunked(body: bytes, size: int = 100) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


@pytest.mark.parametrize("encoding", ["gzip", "GZIP"])
def test_a_compressed_task_is_created(world: World, paused: str, encoding: str) -> None:
    body = chunked(gzip.compress(TASK))
    lines = (f"Content-Encoding: {encoding}", "Content-Type: application/json; charset=UTF-8", "Transfer-Encoding: chunked")

    status, answer = post(world, f"{paused}/tasks", body, *lines)

    assert (status, answer.get("httpRequest", {}).get("url")) == (200, URL)
    assert answer["httpRequest"]["headers"]["X-A"] == "é" * 500


def test_a_compressed_body_may_have_a_length_and_many_members(world: World, paused: str) -> None:
    body = gzip.compress(TASK[:50]) + gzip.compress(TASK[50:])

    status, answer = post(world, f"{paused}/tasks", body, "Content-Encoding: gzip", f"Content-Length: {len(body)}")

    assert (status, answer.get("httpRequest", {}).get("url")) == (200, URL)


def test_a_compressed_body_is_buffered_decompressed(world: World, target: Target) -> None:
    host, port = target.url.removeprefix("http://").split(":")
    queue = world.queue("q", http_target={"uri_override": {"scheme": "HTTP", "host": host, "port": int(port)}})
    body = gzip.compress(b"plain words")
    lines = ("Content-Encoding: gzip", "Content-Type: text/plain", f"Content-Length: {len(body)}")

    assert post(world, f"{queue}/tasks:buffer", body, *lines)[0] == 200
    assert target.wait_for(1)[0].body == b"plain words"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (TASK, "not valid gzip"),
        (gzip.compress(TASK, mtime=0)[:-9], "ends too early"),
        (gzip.compress(b" " * (11 << 20), mtime=0), "exceeds the limit"),
        (gzip.compress(b"{", mtime=0), "Invalid JSON payload"),
    ],
)
def test_a_broken_or_huge_compressed_body_is_refused(world: World, paused: str, body: bytes, words: str) -> None:
    lines = ("Content-Encoding: gzip", f"Content-Length: {len(body)}")

    status, answer = post(world, f"{paused}/tasks", body, *lines)

    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert words in answer["error"]["message"]
