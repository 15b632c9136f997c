"""The control of faults over HTTP."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.control import with_control
from localcloud.faults.control import FAULTS_PATH, faults_control
from localcloud.faults.rules import Faults
from localcloud.http import Answer, asgi_app, empty_answer
from tests.localcloud.asgi import call

Ask = Callable[..., tuple[int, Any]]
RULE = {"kind": "answer", "place": "tasks", "status": 503}


@pytest.fixture
def ask() -> Ask:
    """Requests to the control API beside an app that answers 204."""

    async def answer(_request: object) -> Answer:
        return empty_answer(204)

    app = with_control(asgi_app(answer, lambda _request, _error: empty_answer(500)), {FAULTS_PATH: faults_control(Faults())})

    def asked(method: str, path: str = FAULTS_PATH, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        status, content = asyncio.run(call(app, method, path, body, headers))
        return status, json.loads(content or "null")

    return asked


def test_a_rule_is_added_listed_and_cleared(ask: Ask) -> None:
    added = ask("POST", body=json.dumps(RULE).encode())

    assert added == ask("GET")
    assert added == (200, [RULE | {"match": "", "left": 1, "after_bytes": 0, "seconds": 0.0}])
    assert ask("DELETE") == (200, [])


@pytest.mark.parametrize(
    ("query", "left"), [("?thaw=storage", ["answer"]), ("?thaw=tasks", ["freeze", "answer"]), ("?thaw=", ["answer"])]
)
def test_a_thaw_ends_the_freezes_of_its_service_or_all(ask: Ask, query: str, left: list[str]) -> None:
    ask("POST", body=b'{"kind": "freeze", "place": "storage"}')
    ask("POST", body=json.dumps(RULE).encode())

    assert [rule["kind"] for rule in ask("DELETE", FAULTS_PATH + query)[1]] == left


def test_a_compressed_rule_is_read(ask: Ask) -> None:
    assert ask("POST", body=gzip.compress(json.dumps(RULE).encode()), **{"Content-Encoding": "gzip"})[0] == 200


@pytest.mark.parametrize(
    ("method", "body", "status", "words"),
    [
        ("POST", b"{", 400, "Invalid JSON"),
        ("POST", b"[]", 400, "object"),
        ("POST", b'{"kind": "explode", "place": "tasks"}', 400, "answer, cut"),
        ("POST", b'{"kind": "drop", "place": "messages", "match": 1}', 400, "string"),
        ("POST", b'{"kind": "drop", "place": "messages", "self": 1}', 400, "self"),
        ("POST", b" " * 10_001, 400, "exceeds the limit"),
        ("PUT", b"{}", 405, "GET, POST or DELETE"),
    ],
)
def test_a_wrong_request_is_refused_and_changes_nothing(ask: Ask, method: str, body: bytes, status: int, words: str) -> None:
    code, answer = ask(method, body=body)

    assert (code, words in answer["error"]) == (status, True)
    assert ask("GET") == (200, [])


def test_other_paths_are_the_apps(ask: Ask) -> None:
    assert ask("GET", FAULTS_PATH + "/more") == (204, None)
