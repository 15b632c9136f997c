"""A viewer who may look but not act: every page without its actions, every action refused."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from shared import index
from shared import settings as configuration
from shared.console import site
from shared.model import File
from shared.testing import FakeCloud
from tests.conftest import ENVIRONMENT
from tests.functions.calls import Load
from tests.functions.console_pages import worked

SITE = "sluice-console.example.run.app"
TOKEN = "t" * 22
PAGES = [
    "/",
    "/rows",
    "/files/bad.png",
    "/state/bad.png",
    "/failed",
    "/failed?reason=not_a_picture",
    "/reasons",
    "/queues",
    "/queues/images",
    "/queue-states",
    "/queue-states/images",
    "/pipeline",
]
#: Every action, as an operator sends it.
SENT = {
    "queues": {"pause": "*"},
    "rerun": {"name": "bad.png", "how": "same", "request": "request-1"},
    "rerun-all": {"reason": "not_a_picture", "how": "fresh", "request": "request-1"},
    "uploads": {"name": "a.png", "size": 1},
}


@pytest.fixture
def bad(uploaded: Callable[..., File], cloud: FakeCloud) -> File:
    return worked(uploaded("bad.png", b"\x89PNG", "image/png"), cloud)


@pytest.fixture
def visited(client: Load, cloud: FakeCloud, bad: File) -> Client:
    """The console through Cloud Run's check. Its one operator is Ann."""
    access = {"K_SERVICE": "sluice-console", "SLUICE_CONSOLE_ACCESS": "invoker", "SLUICE_OPERATORS": "ann@example.com"}
    cloud.settings = configuration.load({**ENVIRONMENT, **access})
    console = client("console")
    console.set_cookie("sluice-action", TOKEN, domain=SITE)
    return console


def headers(name: str) -> dict[str, str]:
    """The headers of a request of this account's page."""
    claims = {"email": f"{name}@example.com", "email_verified": True}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, claims)]
    token = ".".join([*parts, "SIGNATURE_REMOVED_BY_GOOGLE"])
    return {"authorization": f"Bearer {token}", "origin": f"https://{SITE}", "x-action-token": TOKEN}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_offers_no_action_to_who_may_only_look(visited: Client, path: str) -> None:
    page = visited.get(path, base_url=f"https://{SITE}", headers=headers("eve"))

    assert page.status_code == 200
    harmless = page.text.count("data-copy") + page.text.count(">Explain<") + page.text.count(">Filter<")
    assert page.text.count("<button") == harmless
    assert 'action="/rerun' not in page.text
    assert 'id="upload"' not in page.text


@pytest.mark.parametrize("action", site.ACTIONS)
def test_an_action_is_refused_to_who_may_only_look(visited: Client, cloud: FakeCloud, bad: File, action: str) -> None:
    refused = act(visited, action, "eve")
    has_acted = bool(cloud.queue.paused or index.later_runs(cloud.results, bad.file_id, bad.generation))
    allowed = act(visited, action, "ann")

    assert (refused.status_code, has_acted) == (403, False)
    assert allowed.status_code in (200, 303), "the same request of an operator acts"


def act(console: Client, action: str, name: str) -> TestResponse:
    form: dict[str, Any] = {"json": SENT[action]} if action == "uploads" else {"data": SENT[action]}
    return console.post(f"/{action}", base_url=f"https://{SITE}", headers=headers(name), **form)
