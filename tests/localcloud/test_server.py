"""The HTTP server of localcloud/server.py, asked over raw sockets."""

import asyncio

import pytest

from localcloud.http import Answer, Request, asgi_app, json_answer
from localcloud.server import HttpServer
from tests.ports import free_port


async def _echo(request: Request) -> Answer:
    return json_answer([request.path, request.raw_query])


async def _answer(target: str) -> bytes:
    port = free_port()
    server = HttpServer(asgi_app(_echo), port, "test")
    await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
    finally:
        await server.stop()
    return answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("/storage/v1/b?project=p", b'["/storage/v1/b", "project=p"]'),
        ("//storage/v1/b?project=p", b'["/storage/v1/b", "project=p"]'),
        ("///b", b'["/b", ""]'),
        ("//", b'["/", ""]'),
        ("/bucket//object//", b'["/bucket//object//", ""]'),
        ("/bucket?prefix=//", b'["/bucket", "prefix=//"]'),
    ],
)
def test_slashes_count_as_one_where_a_path_begins(target: str, answer: bytes) -> None:
    assert asyncio.run(_answer(target)) == answer
