"""docs/webhooks.md: the printed request is what a receiver gets, and the printed code refuses a forged one."""

import base64
import hashlib
import hmac
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from shared import routes
from shared.settings import ROOT
from shared.testing import FakeCloud
from shared.webhooks import attempts, signing
from shared.webhooks.deliveries import Delivery
from tests.docs import blocks
from tests.receivers import KEY, SECRET, Receiver, receiving
from tests.unit.pipelines import WHOLE
from tests.unit.webhooks.worlds import with_webhooks

PAGE = ROOT / "docs" / "webhooks.md"
BODY = '{"name":"ünï.pdf"}'.encode()


def block(language: str, number: int = 0) -> str:
    return [found.text for found in blocks.read(PAGE) if found.language == language][number]


def printed() -> tuple[str, dict[str, str], bytes]:
    """The first line, the headers in lower case and the body of the printed request."""
    head, _, body = block("http").partition("\n\n")
    first, *lines = head.splitlines()
    pairs = (line.split(": ", 1) for line in lines)
    return first, {name.lower(): value for name, value in pairs}, "".join(map(str.strip, body.splitlines())).encode()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("SLUICE_SECRET_TEST", SECRET)
    with receiving(Receiver()) as made:
        yield made


def test_the_printed_request_is_the_one_that_comes(cloud: FakeCloud, receiver: Receiver) -> None:
    first, headers, body = printed()
    cloud.settings = replace(cloud.settings, webhook_loopback=True)
    with_webhooks(cloud, receiver.toml("orders"))
    now = int(headers["webhook-timestamp"])
    attempts.attempt(Delivery("orders", "test", headers["webhook-id"], (), now), cloud, attempts.World(now=lambda: now))

    (posted,) = receiver.posted
    assert first == "POST /sluice HTTP/1.1"
    assert posted.body == body
    assert {name: value for name, value in posted.headers.items() if name in headers} | {
        "host": "orders.example.com"
    } == headers
    assert posted.headers.keys() - headers.keys() == {"accept-encoding", "connection", "content-length"}


def test_the_printed_signature_is_that_of_the_printed_key() -> None:
    _, headers, body = printed()
    made = hmac.digest(KEY, f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body, hashlib.sha256)

    assert f"`{SECRET}`" in PAGE.read_text()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(made).decode()


@pytest.mark.parametrize("number", [0, 1])
def test_the_printed_tables_are_right(number: int) -> None:
    (webhook,) = routes.parse(WHOLE + block("toml", number)).webhooks.values()

    assert webhook.name == "orders"


def cases() -> dict[str, tuple[dict[str, str], bytes, bool]]:
    """Headers and body of requests, and whether they are right."""
    now = time.time()
    right = signing.headers("job-1", BODY, [SECRET], now)
    old = signing.headers("job-1", BODY, ["whsec_" + "b2xk" * 8], now)
    both = f"{old['webhook-signature']} {right['webhook-signature']}"
    return {
        "right": (right, BODY, True),
        "rotating": (right | {"webhook-signature": both}, BODY, True),
        "another key": (old, BODY, False),
        "another body": (right, BODY + b" ", False),
        "another id": (right | {"webhook-id": "job-2"}, BODY, False),
        "late": (signing.headers("job-1", BODY, [SECRET], now - 400), BODY, False),
        "early": (signing.headers("job-1", BODY, [SECRET], now + 400), BODY, False),
        "no time": (right | {"webhook-timestamp": "soon"}, BODY, False),
    }


@pytest.mark.parametrize("case", list(cases()))
def test_the_printed_python_verifies_a_request(case: str) -> None:
    headers, body, is_right = cases()[case]
    names: dict[str, Any] = {}
    exec(block("python"), names)
    if is_right:
        assert names["verified"](SECRET, headers, body) == json.loads(BODY)
        return

    with pytest.raises(WebhookVerificationError):
        names["verified"](SECRET, headers, body)


def test_the_printed_javascript_verifies_requests(program: Callable[[str], str], tmp_path: Path) -> None:
    node = program("node")
    (tmp_path / "verified.mjs").write_text(block("js"))
    (tmp_path / "cases.mjs").write_text(CASES)
    sent = {name: [headers, base64.b64encode(body).decode()] for name, (headers, body, _) in cases().items()}
    done = subprocess.run(
        [node, str(tmp_path / "cases.mjs"), SECRET],
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stdout) == {name: json.loads(BODY) if right else None for name, (_, _, right) in cases().items()}


CASES = """
import { readFileSync } from "node:fs";
import { verified } from "./verified.mjs";
const found = {};
for (const [name, [headers, body]] of Object.entries(JSON.parse(readFileSync(0)))) {
  try { found[name] = verified(process.argv[2], headers, Buffer.from(body, "base64")); } catch { found[name] = null; }
}
console.log(JSON.stringify(found));
"""


def test_every_line_of_the_log_is_listed() -> None:
    text = "".join((ROOT / "shared" / "webhooks" / name).read_text() for name in ("attempts.py", "checks.py"))
    logged = set(re.findall(r"log\.(?:info|warning|error)\(\"([^\"]+)\"", text))

    assert logged == set(re.findall(r"^\| `([a-z][^`]+)` \| `(?:INFO|WARNING|ERROR)` \|", PAGE.read_text(), re.MULTILINE))
