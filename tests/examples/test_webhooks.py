"""The receivers of webhooks: signatures made here as Standard Webhooks 1.0.0 says, and those of strangers."""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.examples.conftest import EXAMPLES, WEBHOOK_KEY, Program, send
from tests.machine import Machine
from tests.ports import free_port, is_listening

FOLDER = EXAMPLES / "webhooks"
#: Key, id, seconds, body and signature of the specification's own libraries' tests.
KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SPECIFIED = (
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1614265330,
    b'{"test": 2432232314}',
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
)
OTHER_KEY = bytes(range(32))


def signature(key: bytes, id_: str, seconds: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over id, time and body."""
    digest = hmac.new(key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


@dataclass(frozen=True)
class Delivery:
    """A request of a webhook; without `signatures` with its right one."""

    id: str
    seconds: int
    body: bytes
    signatures: str | None = None

    def headers(self) -> dict[str, str]:
        right = signature(KEY, self.id, self.seconds, self.body)
        return {
            "content-type": "application/cloudevents+json",
            "webhook-id": self.id,
            "webhook-timestamp": str(self.seconds),
            "webhook-signature": right if self.signatures is None else self.signatures,
        }


def finished(id_: str, name: str) -> Delivery:
    """The notice of a file that has ended now."""
    event = {"type": "sluice.job.finished.v1", "id": id_, "verdict": "succeeded", "data": {"file": {"name": name}}}
    return Delivery(id_, int(time.time()), json.dumps(event).encode())


def post(url: str, delivery: Delivery, *without: str) -> int:
    """The status of the answer."""
    headers = {name: value for name, value in delivery.headers().items() if name not in without}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, delivery.body, headers, method="POST")) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


Begin = Callable[..., tuple[str, Program]]


@pytest.fixture(params=["receiver.py", "receiver.mjs"])
def begin(request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path: Path) -> Iterator[Begin]:
    """Start the receiver, each time with the same memory: its address, and the program."""
    started = []

    def start(key: bytes = KEY, ports: Mapping[str, int] | None = None) -> tuple[str, Program]:
        port = ports["python" if request.param == "receiver.py" else "node"] if ports else free_port()
        secret = f"whsec_{base64.b64encode(key).decode()}"
        environment = dict(os.environ) | {"SECRET": secret, "MEMORY": str(tmp_path / "handled"), "PYTHONDONTWRITEBYTECODE": "1"}
        if request.param == "receiver.py":
            gunicorn = Path(sys.executable).with_name("gunicorn")
            where = ("--chdir", FOLDER, "--bind", f"127.0.0.1:{port}")
            command: list[str | Path] = [gunicorn, "--no-control-socket", *where, "receiver:app"]
        else:
            command = [program("node"), FOLDER / "receiver.mjs", str(port)]
        running = Program(command, environment, tmp_path)
        started.append(running)
        eventually(lambda: is_listening(port), f"{request.param} to listen")
        return f"http://127.0.0.1:{port}/", running

    yield start
    for running in started:
        running.stop()


def test_the_signatures_made_here_are_those_of_the_specification() -> None:
    id_, seconds, body, right = SPECIFIED

    assert signature(KEY, id_, seconds, body) == right


def test_each_event_is_handled_once_also_after_a_restart(begin: Begin) -> None:
    url, first = begin()
    assert [post(url, finished("a-1", "one.txt")) for _ in range(2)] == [204, 204]
    first.line("succeeded one.txt")
    first.stop()
    url, second = begin()
    rotating = finished("a-2", "two.txt")
    both = " ".join(signature(key, rotating.id, rotating.seconds, rotating.body) for key in (OTHER_KEY, KEY))
    assert [post(url, finished("a-1", "one.txt")), post(url, replace(rotating, signatures=both))] == [204, 204]
    second.line("succeeded two.txt")
    second.stop()

    printed = [line for running in (first, second) for line in running.lines() if line.startswith("succeeded")]
    assert printed == ["succeeded one.txt", "succeeded two.txt"]


def test_a_request_of_a_stranger_is_refused(begin: Begin) -> None:
    url, running = begin()
    right = finished("a-1", "forged.txt")
    theirs = signature(OTHER_KEY, right.id, right.seconds, right.body)
    signed = signature(KEY, right.id, right.seconds, right.body)
    id_, seconds, body, old = SPECIFIED

    for forged in (
        replace(right, signatures=""),
        replace(right, signatures="v1"),
        replace(right, signatures="v1,"),
        replace(right, signatures="v1,AAAA v1,====="),
        replace(right, signatures=theirs),
        replace(right, signatures=signed.replace("v1,", "v2,")),
        replace(right, signatures=signed, id="a-2"),
        replace(right, signatures=signed, seconds=right.seconds - 1),
        replace(right, signatures=signed, body=right.body + b" "),
        replace(right, signatures=signed, body=b"\xff"),
        replace(right, seconds=right.seconds - 310),
        replace(right, seconds=right.seconds + 310),
        Delivery(id_, seconds, body, old),
    ):
        assert post(url, forged) == 401, forged
    for header in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert post(url, right, header) == 401, header
    assert post(url, finished("a-3", "right.txt")) == 204
    running.line("succeeded right.txt")
    running.stop()
    assert [line for line in running.lines() if line.startswith("succeeded")] == ["succeeded right.txt"]


def test_the_notifier_s_requests_are_taken(machine: Machine, hooks: Mapping[str, int], begin: Begin) -> None:
    _, running = begin(WEBHOOK_KEY, hooks)
    name = send(machine, "scan.jpg", b"\xff\xd8\xff damaged")

    running.line(f"partial {name}")
