"""One stack, its notices kept for late subscribers, and the examples as programs of its users."""

import base64
import contextlib
import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.address import PROJECT
from shared.settings import ROOT
from tests.conftest import PIPELINE
from tests.eventually import eventually
from tests.machine import Machine, running, variables
from tests.ports import free_port
from tests.preloaded import preloaded

EXAMPLES = ROOT / "examples"
SECONDS = 120
WEBHOOK_KEY = bytes(range(32))
WEBHOOK = """
[webhooks.{}]
url = "http://127.0.0.1:{}/"
secret = "env:SLUICE_SECRET_EXAMPLES"
verdicts = ["partial"]
"""


@pytest.fixture(scope="session")
def site() -> int:
    """The port of a web site whose pages may use the stack."""
    return free_port()


@pytest.fixture(scope="session")
def hooks() -> dict[str, int]:
    """The port of each webhook's receiver. Only damaged pictures are posted: few notices wait for receivers."""
    return {name: free_port() for name in ("python", "node")}


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, site: int, hooks: Mapping[str, int]) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("stack")
    (folder / "pipeline.toml").write_text(PIPELINE.read_text() + "".join(WEBHOOK.format(name, hooks[name]) for name in hooks))
    machine = Machine(folder / "data")
    settings = {
        "SLUICE_PIPELINE": str(folder / "pipeline.toml"),
        "SLUICE_ORIGINS": f"http://localhost:{site}",
        "SLUICE_SECRET_EXAMPLES": f"whsec_{base64.b64encode(WEBHOOK_KEY).decode()}",
    }
    with variables(settings), running(machine):
        yield machine


@pytest.fixture(scope="session")
def shell(machine: Machine, program: Callable[[str], str]) -> Iterator[dict[str, str]]:
    """The variables of a shell that uses the stack, with a gcloud that starts at once."""
    with preloaded(program("gcloud"), machine.environment) as environment:
        yield environment


@pytest.fixture
def pull_subscription(machine: Machine, request: pytest.FixtureRequest) -> str:
    """A subscription of the test's own."""
    return subscribe(machine, name_of(request), {"ackDeadlineSeconds": 60})


def name_of(request: pytest.FixtureRequest) -> str:
    """A name for a resource of this test."""
    return re.sub("[^a-z]+", "-", request.node.name).strip("-")


def subscribe(machine: Machine, name: str, fields: Mapping[str, Any]) -> str:
    """Create a subscription to the notices; gives its name."""
    pubsub(machine, "PUT", f"subscriptions/{name}", {"topic": f"projects/{PROJECT}/topics/completions", **fields})
    return name


def pubsub(machine: Machine, method: str, path: str, body: Any) -> Any:
    """A call of Pub/Sub's REST API about something of the project."""
    root = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB"]
    url, headers = f"{root}v1/projects/{PROJECT}/{path}", {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)) as answer:
        return json.load(answer)


def send(machine: Machine, name: str, data: bytes = b"a few words\n") -> str:
    """Upload a text; gives its object's name."""
    request = urllib.request.Request(f"{machine.url('upload')}/{name}", data, {"Content-Type": "text/plain"}, method="PUT")
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["object"])


class Program:
    """A running example, and the lines that it prints."""

    def __init__(self, command: list[str | Path], environment: Mapping[str, str], folder: Path) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, cwd=folder, stdout=pipe, stderr=pipe, text=True)
        self._lines: dict[str, list[str]] = {"out": [], "err": []}
        self._readers = [
            threading.Thread(target=self._read, args=(stream, self._lines[name]))
            for name, stream in (("out", self._process.stdout), ("err", self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def line(self, part: str, stream: str = "out") -> str:
        """The first line with this part; waits for it."""

        def look() -> str | None:
            assert self._process.poll() is None, f"ended with {self._process.returncode}: {self._lines}"
            return next((line for line in self.lines(stream) if part in line), None)

        return eventually(look, f"{part!r} from {self._process.args!r}", seconds=SECONDS)

    def lines(self, stream: str = "out") -> list[str]:
        """All lines so far."""
        return list(self._lines[stream])

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self.wait()

    def stop(self) -> int:
        """End it as Cloud Run does; gives the exit status."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; gives the exit status."""
        status = self._process.wait(timeout=SECONDS)
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return status

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))  # noqa: PERF401  (each as it comes)


Start = Callable[..., Program]


@pytest.fixture
def start(machine: Machine, tmp_path: Path) -> Iterator[Start]:
    """Start an example in a folder of the test's own, with variables over those of the stack's shell."""
    with contextlib.ExitStack() as stack:

        def begin(*command: str | Path, **more: str) -> Program:
            running = Program(list(command), machine.environment | {"PYTHONDONTWRITEBYTECODE": "1"} | more, tmp_path)
            stack.callback(running.stop)
            return running

        yield begin
