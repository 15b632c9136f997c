"""docs/http-api.md: every request on the page gets the printed answer, and every error code is listed."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from shared import errors, pipeline
from shared.errors import PipelineError
from shared.settings import ROOT
from shared.testing import FakeCloud
from tests.docs import blocks, curl
from tests.docs.masks import agrees

PAGE = ROOT / "docs" / "http-api.md"
DELIVER = "<!-- test: deliver every task -->"
#: Errors that no answer carries: verdicts, faults at start-up, and those that the pipeline itself handles.
NEVER_ANSWERED = {
    "BadFile",
    "ProcessorFailed",
    "Vanished",
    "BadConfiguration",
    "AlreadyExists",
    "NoSuchObject",
    "MalformedEvent",
}


@pytest.fixture
def answers(client: Callable[[str], Client], cloud: FakeCloud) -> list[tuple[str, str, str]]:
    """Command, printed answer and real answer of every example, sent in the order of the page."""
    urls = {name: f"https://{name}.example" for name in ("issuer", "status")}
    cloud.settings = replace(cloud.settings, issuer_url=urls["issuer"], status_url=urls["status"], max_file_bytes=512 << 20)
    deliveries = [PAGE.read_text().count("\n", 0, found.start()) for found in re.finditer(DELIVER, PAGE.read_text())]
    told = []
    for command, printed in _examples():
        while deliveries and deliveries[0] < command.line:
            deliveries.pop(0)
            _deliver(cloud)
        answer = curl.send(command.text, client)
        text = answer.text.replace("https://signed.test/", "https://storage.googleapis.com/")
        told.append((command.text, printed.text, f"HTTP/1.1 {_status(answer.status_code)}\n\n{text}"))
    return told


def _status(number: int) -> str:
    return f"{number} {HTTPStatus(number).phrase}"


def _examples() -> Iterator[tuple[blocks.Block, blocks.Block]]:
    """Every command with the answer that follows it."""
    found = [block for block in blocks.read(PAGE) if block.language in ("sh", "http")]
    assert [block.language for block in found] == ["sh", "http"] * (len(found) // 2)
    return zip(found[::2], found[1::2], strict=True)


def _deliver(cloud: FakeCloud) -> None:
    for task in list(cloud.queue.added.values()):
        pipeline.process(task, 1, cloud)


def test_every_request_gets_the_printed_answer(answers: list[tuple[str, str, str]]) -> None:
    assert len(answers) >= 7
    for command, printed, real in answers:
        assert agrees(printed, real), f"{command}prints\n{printed}answers\n{real}"


def test_every_field_of_the_answers_is_explained(answers: list[tuple[str, str, str]]) -> None:
    explained = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    used = {key for _, _, real in answers for key in _keys(json.loads(real.partition("\n\n")[2]))}

    assert used - explained == set()


def _keys(value: Any) -> Iterator[str]:
    """Every key, but those of `headers`, `metadata` and `facts`, which have names of their own."""
    pairs = value.items() if isinstance(value, dict) else [("", item) for item in value]
    for key, item in pairs:
        if key:
            yield key
        if isinstance(item, (dict, list)) and key not in ("headers", "metadata", "facts"):
            yield from _keys(item)


def test_every_code_that_can_be_answered_is_listed_and_no_other() -> None:
    listed = set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))

    assert {code for code in listed if not code[1][0].isupper()} == _codes()


def _codes() -> set[tuple[str, str]]:
    """Status and code of every error that shared/ and functions/ raise."""
    classes = _error_classes()
    files = [path for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py")]
    raised = {found for path in files for found in _raised(path, classes)}
    return {(status, code) for kind, status, code in raised if kind not in NEVER_ANSWERED} | {("500", "internal")}


def _error_classes() -> dict[str, type[PipelineError]]:
    from shared.cloud import protocols
    from shared.events import MalformedEvent

    modules = {**vars(errors), **vars(protocols), "MalformedEvent": MalformedEvent}
    return {name: kind for name, kind in modules.items() if isinstance(kind, type) and issubclass(kind, PipelineError)}


def _raised(path: Path, classes: dict[str, type[PipelineError]]) -> Iterator[tuple[str, str, str]]:
    """Class, status and code of every error made in this file; a code is the second argument, or the class's own."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)) if any(f"{name}(" in text for name in classes) else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes:
            kind = classes[node.func.id]
            given = node.args[1:2] if kind is not errors.MethodNotAllowed else []
            own = str(given[0].value) if given and isinstance(given[0], ast.Constant) else kind.code
            yield node.func.id, str(kind.status), own
