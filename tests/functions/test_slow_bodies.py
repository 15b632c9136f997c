"""Clients that send slowly hold a door for a limited time, and the others get through."""

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.functions.serving import WIRE_SECONDS, Server, answer, serving

FORM = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x\r\n"
RAW = b"PUT /slow.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = b"PUT /slow.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsl"
JSON = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("upload", tmp_path_factory.mktemp("objects"), SLUICE_BODY_SECONDS="1") as server:
        yield server


def opened(server: Server, stack: ExitStack, beginning: bytes) -> socket.socket:
    connection = stack.enter_context(server.connect())
    connection.sendall(beginning)
    return connection


def ended(connection: socket.socket) -> tuple[int, str, str]:
    """Status, code and `Connection` of the answer, after which the server closes."""
    found = answer(connection)
    assert connection.recv(1) == b""
    return found.status, found.json["error"], found.headers["connection"]


def put(server: Server, name: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WIRE_SECONDS)
    connection.request("PUT", f"/{name}", b"a few words")
    status = connection.getresponse().status
    connection.close()
    return status


def drip(connections: list[socket.socket], is_over: threading.Event) -> None:
    """Send a byte to each from time to time, as a hostile client does."""
    while not is_over.wait(0.1):
        for connection in connections:
            try:
                connection.send(b"s")
            except OSError:  # the server closed it
                continue


def test_twenty_slow_bodies_hold_a_door_for_a_limited_time(server: Server) -> None:
    is_over, before = threading.Event(), server.stored()
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        silent = [opened(server, stack, beginning) for beginning in [RAW, FORM, CHUNKED] * 4]
        slow = [opened(server, stack, RAW) for _ in range(8)]
        dripping = pool.submit(drip, slow, is_over)
        try:
            assert put(server, "good.txt") == 202
            assert {ended(connection) for connection in silent} == {(408, "body_too_slow", "close")}
            assert {answer(connection).status for connection in slow} == {408}
        finally:
            is_over.set()
        dripping.result()

    assert server.stored() == before | {"good.txt": b"a few words"}


def test_the_rest_of_a_refused_body_is_awaited_for_a_limited_time(server: Server) -> None:
    too_large = RAW.replace(b"1000", b"100000000")
    part_of_file = RAW.replace(b"Host", b"Content-Range: bytes 0-999/2000\r\nHost")
    with ExitStack() as stack:
        waiting = [opened(server, stack, beginning) for beginning in [too_large, part_of_file] * 4]
        assert put(server, "next.txt") == 202
        assert [answer(connection).status for connection in waiting] == [413, 400] * 4
        assert [connection.recv(1) for connection in waiting] == [b""] * 8


def test_other_services_end_slow_bodies_too(tmp_path: Path) -> None:
    with serving("issuer", tmp_path, SLUICE_BODY_SECONDS="1") as server, ExitStack() as stack:
        assert ended(opened(server, stack, JSON)) == (408, "body_too_slow", "close")
