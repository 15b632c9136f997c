"""The memory of gcloud's reads: a command that would be answered as before prints what it printed before.

Half of all that deploy.sh has gcloud do is to read the same state once more. What a command prints follows from its words, its
variables and the answers it gets. So one that was run with the same words and variables is asked again in its place: all that it
asked, of the stub. If the stub answers every request with the same bytes, its output is given again; if not, gcloud runs.
"""

import socket
import socketserver
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from tests.deploy.stub.proxy import Stub
from tests.preloaded import received, shim

#: A command with one of these words only reads, and not by the clock.
READS = {b"list", b"describe", b"get-iam-policy"}
#: A header that gcloud adds to each of its requests: here the number of the command.
REASON = b"CLOUDSDK_CORE_REQUEST_REASON"


@dataclass(frozen=True)
class Printed:
    """Stdout and stderr of a command, and the number under which the stub has what it asked."""

    output: tuple[bytes, bytes]
    number: str


@dataclass
class Memory:
    """The commands that were run, by all their words and variables."""

    stub: Stub
    door: str
    #: The newest last. Tests bring states back, and with them the answers of before.
    known: defaultdict[bytes, list[Printed]] = field(default_factory=lambda: defaultdict(list))
    #: How often gcloud was not run.
    saved: int = 0
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, command: bytes, streams: list[int]) -> bytes:
        """Run or remember one command; its status, a byte."""
        _, count, *words = command.split(b"\0")
        if READS.isdisjoint(words[: int(count)]):
            return _ask(self.door, command, streams)
        for known in reversed(self.known[command]):
            if self.stub.answers_again(known.number):
                self.saved += 1
                _write(streams, known.output)
                return b"\0"
        return self._run(command, streams)

    def _run(self, command: bytes, streams: list[int]) -> bytes:
        with self._lock:
            self._count += 1
            number = str(self._count)
        with TemporaryFile() as out, TemporaryFile() as err:
            numbered = b"\0".join([command, REASON + b"=" + number.encode()])
            status = _ask(self.door, numbered, [streams[0], out.fileno(), err.fileno()])
            output = _content(out), _content(err)
        _write(streams, output)
        if status == b"\0":
            self.known[command].append(Printed(output, number))
        return status


@contextmanager
def remembered(stub: Stub, environment: Mapping[str, str]) -> Iterator[tuple[dict[str, str], Memory]]:
    """The environment of `preloaded`, with a gcloud that remembers; as it is, if nothing is preloaded there."""
    memory = Memory(stub, environment["PATH"].partition(":")[0] + "/socket")
    if not Path(memory.door).exists():
        yield dict(environment), memory
        return

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            command, streams = received(connection)
            try:
                status = memory.run(command, streams)
            finally:
                for stream in streams:
                    socket.close(stream)
            connection.sendall(status)

    with TemporaryDirectory(dir="/tmp") as folder:
        shim(folder, "gcloud")
        with socketserver.ThreadingUnixStreamServer(f"{folder}/socket", Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield {**environment, "PATH": f"{folder}:{environment['PATH']}"}, memory
            server.shutdown()


def _ask(door: str, command: bytes, streams: list[int]) -> bytes:
    """Have the loaded gcloud run the command; its status, nothing if it ended without one."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(door)
        socket.send_fds(connection, [len(command).to_bytes(4, "big")], streams)
        connection.sendall(command)
        return connection.recv(1)


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _write(streams: list[int], output: tuple[bytes, bytes]) -> None:
    for stream, content in zip(streams[1:], output, strict=True):
        with open(stream, "wb", closefd=False) as file:
            file.write(content)
