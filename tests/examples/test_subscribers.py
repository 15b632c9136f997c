"""The subscribers: each prints a file's verdict once, whatever is delivered again, and after `kill -9` too."""

import base64
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localcloud.accounts import Accounts
from localcloud.address import PROJECT
from localcloud.clock import SystemClock
from shared.settings import ROOT
from tests.docs import blocks
from tests.eventually import eventually
from tests.examples.conftest import EXAMPLES, Program, Start, name_of, pubsub, send, subscribe
from tests.machine import Machine
from tests.ports import free_port, is_listening

FOLDER = EXAMPLES / "subscribers"
SENDER = f"push@{PROJECT}.iam.gserviceaccount.com"
Find = Callable[[str], str]


def replay(machine: Machine, subscription: str, since: datetime) -> None:
    """Have everything since then delivered again."""
    pubsub(machine, "POST", f"subscriptions/{subscription}:seek", {"time": since.isoformat()})


def test_the_printed_consumer_is_that_of_the_example() -> None:
    (printed,) = [block for block in blocks.read(ROOT / "docs" / "notices.md") if block.file]

    assert printed.text in (ROOT / printed.file).read_text()
    assert len(printed.text.splitlines()) <= 10


@pytest.mark.parametrize("file", ["pull.py", "pull.mjs"])
def test_a_pulled_notice_is_handled_once(
    file: str, machine: Machine, start: Start, pull_subscription: str, program: Find
) -> None:
    command = [program("node") if file.endswith(".mjs") else sys.executable, FOLDER / file, pull_subscription]
    begun = datetime.now(UTC)
    first = start(*command)
    one = send(machine, "one.txt")
    first.line(f"succeeded {one}")
    first.line(f"succeeded {send(machine, 'next.txt')}")  # notices end one after another: the one before is in the memory
    first.kill()
    second = start(*command)
    two = send(machine, "two.txt")
    second.line(f"succeeded {two}")
    replay(machine, pull_subscription, begun)
    three = send(machine, "three.txt")
    second.line(f"succeeded {three}")

    assert second.stop() == 0  # it ends when all that it got is handled
    assert [line for line in second.lines() if one in line] == []
    assert [line for line in second.lines() if two in line or three in line] == [f"succeeded {two}", f"succeeded {three}"]


@pytest.fixture(params=["push.py", "push.mjs"])
def receiver(request: pytest.FixtureRequest, start: Start, program: Find, tmp_path: Path) -> tuple[str, Program]:
    """A receiver of pushes that listens: its address, and the program."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    if request.param == "push.py":
        gunicorn = Path(sys.executable).with_name("gunicorn")
        command = [gunicorn, "--no-control-socket", "--chdir", FOLDER, "--bind", f"127.0.0.1:{port}", "push:app"]
    else:
        command = [program("node"), FOLDER / "push.mjs", str(port)]
    running = start(*command, AUDIENCE=url, SENDER=SENDER, MEMORY=str(tmp_path / "handled"))
    eventually(lambda: is_listening(port), f"{request.param} to listen")
    return url, running


@pytest.mark.parametrize("form", [{}, {"noWrapper": {"writeMetadata": True}}], ids=["wrapped", "unwrapped"])
def test_a_pushed_notice_is_handled_once(
    form: dict[str, object], machine: Machine, receiver: tuple[str, Program], request: pytest.FixtureRequest
) -> None:
    begun = datetime.now(UTC)
    url, running = receiver
    token = {"serviceAccountEmail": SENDER, "audience": url}
    push = {"pushConfig": {"pushEndpoint": f"{url}/", "oidcToken": token, **form}}
    subscription = subscribe(machine, name_of(request), push)
    one = send(machine, "one.txt")
    running.line(f"succeeded {one}")
    replay(machine, subscription, begun)
    two = send(machine, "two.txt")
    running.line(f"succeeded {two}")
    pubsub(machine, "DELETE", f"subscriptions/{subscription}", {})

    running.stop()
    assert [line for line in running.lines() if "succeeded" in line] == [f"succeeded {one}", f"succeeded {two}"]


def test_a_push_of_a_stranger_is_refused(machine: Machine, receiver: tuple[str, Program]) -> None:
    url, running = receiver
    issuer = machine.environment["SLUICE_TOKEN_ISSUER"]
    ours = Accounts(machine.data / "keys", PROJECT, issuer, SystemClock())
    right = ours.id_token(SENDER, url)
    head, body, signature = right.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    later = base64.urlsafe_b64encode(json.dumps(claims | {"exp": claims["exp"] + 9}).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg": "none", "typ": "JWT"}').decode().rstrip("=")

    assert push(url, right) == 204
    for forged in (
        "",
        "a.b.c",
        f"{none}.{body}.",
        f"{head}.{later}.{signature}",
        ours.id_token(SENDER, "https://other.example"),
        ours.id_token(f"tasks@{PROJECT}.iam.gserviceaccount.com", url),
        Accounts(machine.data / "keys", PROJECT, "https://accounts.example", SystemClock()).id_token(SENDER, url),
        Accounts(machine.data / "others", PROJECT, issuer, SystemClock()).id_token(SENDER, url),
    ):
        assert push(url, forged) == 403, forged
    running.line("succeeded x.txt")
    running.stop()
    assert [line for line in running.lines() if "succeeded" in line] == ["succeeded x.txt"]


def push(url: str, token: str) -> int:
    """Push a notice with this token; gives the status."""
    attributes = {"ce-type": "sluice.job.finished.v1", "ce-id": "a-1", "ce-source": "//storage.googleapis.com/uploads"}
    data = json.dumps({"verdict": "succeeded", "file": {"name": "x.txt"}}).encode()
    body = json.dumps({"message": {"attributes": attributes, "data": base64.b64encode(data).decode()}}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/", body, headers, method="POST")) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_gcloud_reads_what_failed_before_its_subscription_was_there(
    machine: Machine, shell: dict[str, str], request: pytest.FixtureRequest
) -> None:
    subscription = name_of(request)
    since = datetime.now(UTC).isoformat()

    def gcloud(*arguments: str) -> list[str]:
        script = ["bash", str(FOLDER / "gcloud.sh"), *arguments]
        done = subprocess.run(script, env=shell, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    first = subscribe(machine, f"{subscription}-first", {"filter": 'attributes."ce-type" = "sluice.job.finished.v1"'})
    names = {send(machine, "good.txt"), send(machine, "scan.jpg", b"\xff\xd8\xff damaged")}
    arrived: set[str] = set()
    eventually(lambda: names <= pulled(machine, first, into=arrived), "both notices")
    gcloud("create", subscription)
    early = gcloud("read", subscription)  # the notice has been published, but a repeat of it may still be on its way
    gcloud("replay", subscription, since)
    late = gcloud("read", subscription)

    (failed,) = late
    assert re.fullmatch(r"partial\t\w{26}/scan\.jpg", failed)
    assert early in ([], late)


def pulled(machine: Machine, subscription: str, into: set[str]) -> set[str]:
    """Add the names of the next notices."""
    found = pubsub(machine, "POST", f"subscriptions/{subscription}:pull", {"maxMessages": 10})
    into.update(received["message"]["attributes"]["name"] for received in found.get("receivedMessages", []))
    return into
