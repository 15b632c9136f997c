"""A function under the real server, spoken to by raw bytes."""

import http.client
import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from shared.settings import ROOT
from tests.conftest import ENVIRONMENT
from tests.eventually import eventually
from tests.image import instructions
from tests.ports import free_port, is_listening

#: Longest wait for an answer; a hang fails instead of blocking the run.
WIRE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A function's server, its port, and the folder of the objects that it stored."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self._folder = port, folder

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WIRE_SECONDS)

    def send(self, request: bytes) -> Answer:
        """The answer to a request that is sent whole before the answer is read."""
        with self.connect() as connection:
            connection.sendall(request)
            return answer(connection)

    def stored(self) -> dict[str, bytes]:
        """The bytes of every object by its name, without the random first part."""
        return {unquote(path.name).partition("/")[2]: path.read_bytes() for path in self._folder.iterdir()}

    def forget(self) -> None:
        """Forget what was stored."""
        for path in self._folder.iterdir():
            path.unlink()


def answer(connection: socket.socket) -> Answer:
    """The next answer on a connection."""
    found = http.client.HTTPResponse(connection)
    found.begin()
    return Answer(found.status, found.headers, found.read())


@contextmanager
def serving(target: str, folder: Path, **variables: str) -> Iterator[Server]:
    """Serve a function by functions-framework and gunicorn, as in the cloud."""
    port = free_port()
    arguments = ["--target", target, "--source", str(ROOT / "tests/functions/served.py"), "--host", "127.0.0.1"]
    given = {**_of_the_image(), "PYTHONPATH": str(ROOT), "THREADS": "4", "SERVED_FOLDER": str(folder), **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "functions_framework", *arguments, "--port", str(port)],
        env=os.environ | ENVIRONMENT | given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: is_listening(port), f"the server of {target}")
        yield Server(port, folder)
    finally:
        process.kill()  # its worker ends when it sees that
        process.wait()


def _of_the_image() -> dict[str, str]:
    """The variables that the Dockerfile sets."""
    lines = [rest for word, rest in instructions(ROOT / "Dockerfile") if word == "ENV"]
    return dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))
