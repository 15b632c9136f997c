"""The output of libraries under the real server is JSON lines."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.library_output import MAX_LINE_BYTES, ErrorOutput
from shared.settings import ROOT
from tests.eventually import eventually
from tests.ports import free_port, is_listening

Line = dict[str, Any]
TRACE = "logging.googleapis.com/trace"
COMPLAINT = "Using code not yet in table"


class Server:
    """functions-framework with the function `noisy`, and all that it wrote."""

    def __init__(self, folder: Path) -> None:
        self.port, self._out, self._errors = free_port(), folder / "out", folder / "errors"
        source = str(ROOT / "tests/functions/noisy.py")
        arguments = ["--target", "noisy", "--source", source, "--host", "127.0.0.1", "--port", str(self.port)]
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "functions_framework", *arguments],
                stdout=out,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": str(ROOT), "THREADS": "2"},
            )
        eventually(lambda: is_listening(self.port), "the server")

    def make(self, *noises: str) -> None:
        for noise in noises:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{noise}", timeout=30).close()

    def complains(self) -> bool:
        """Whether the line of a broken TIFF is there; after a flood, the pipe may be too full for it at first."""
        self.make("tiff")
        return COMPLAINT in self.out()

    def stop(self) -> None:
        """As Cloud Run stops an instance."""
        self.process.terminate()
        self.process.wait()

    def out(self) -> str:
        return self._out.read_text()

    def errors(self) -> str:
        return self._errors.read_text()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.process.kill()
    server.process.wait()


def test_all_output_of_libraries_is_json_lines(server: Server) -> None:
    server.make("logging", "malformed", "debug", "warning", "server", "thread", "print", "long")
    # Until the long one is read, it takes a third of the pipe.
    eventually(lambda: sum("x" * 1000 in line for line in server.out().splitlines()) == 3, "the three parts of the long line")
    server.make("flood")
    eventually(server.complains, "the complaint of libtiff")
    server.stop()

    assert server.errors() == ""
    lines: list[Line] = [json.loads(line) for line in server.out().splitlines()]
    _records([line for line in lines if "logger" in line])
    _error_output([line["text"] for line in lines if line["message"] == "a library wrote to its error output"])
    (thread,) = [line for line in lines if line["message"] == "unforeseen error in a thread"]
    assert "ValueError: invalid literal" in thread["stack_trace"]


def _records(lines: list[Line]) -> None:
    """Python's libraries write on the timeline of the job."""
    pool, malformed, warned, lost = lines
    assert (pool["severity"], pool["message"], pool["logger"]) == ("WARNING", "a library logged a warning", "urllib3")
    assert (pool["text"], malformed["text"]) == ("pool of host is full", "%d")
    assert (warned["logger"], "DeprecationWarning: old name" in warned["text"]) == ("py.warnings", True)
    assert (lost["severity"], lost["logger"], lost["text"]) == ("ERROR", "gunicorn.error", "worker is lost")
    assert len({line[TRACE] for line in lines}) == 1


def _error_output(texts: list[str]) -> None:
    """A line for each line, long ones in parts; of a flood, at least as many as the pipe holds."""
    assert texts[:2] == ["two", "lines"]
    assert [len(text) for text in texts[2:5]] == [MAX_LINE_BYTES, MAX_LINE_BYTES, 20_000 - 2 * MAX_LINE_BYTES]
    assert texts.count("flood" * 12) > 1000
    assert texts[-1].endswith(f"{COMPLAINT}.")


def test_a_crash_leaves_its_stack_and_the_next_worker_writes_on(server: Server) -> None:
    with pytest.raises(OSError, match=r"closed|reset"):
        server.make("abort")
    eventually(lambda: "Fatal Python error: Aborted" in server.errors(), "the stack of the crash")
    eventually(server.complains, "the complaint of libtiff")

    assert all(json.loads(line) for line in server.out().splitlines())


def test_the_last_lines_of_a_process_are_not_lost(server: Server) -> None:
    server.make("exit")
    server.stop()

    assert [json.loads(line)["text"] for line in server.out().splitlines()] == ["rest"] * 1000
    assert server.errors() == "last words\n"


def test_a_worker_captures_its_error_output_once(server: Server) -> None:
    server.make("print")
    (worker,) = psutil.Process(server.process.pid).children()
    descriptors = worker.num_fds()
    server.make(*["print"] * 10)

    assert worker.num_fds() < descriptors + 10


def test_the_process_that_loads_a_function_keeps_its_error_output() -> None:
    before = os.fstat(2)
    ErrorOutput().capture()

    assert os.fstat(2).st_ino == before.st_ino
