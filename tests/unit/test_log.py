"""A log line is one JSON object on one line, with any content."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared import log


@pytest.fixture(autouse=True)
def _nothing_bound() -> None:
    log.bind()


@pytest.fixture
def traced() -> Iterator[str]:
    token = log.trace.set("projects/p/traces/105445aa7843bc8bf206b12000100000")
    yield log.trace.get()
    log.trace.reset(token)


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    written = capsys.readouterr().out
    assert written.endswith("\n")
    assert written.count("\n") == 1
    line: dict[str, Any] = json.loads(written)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(line.pop("time"))) < timedelta(minutes=1)
    return line


def test_a_line_has_a_sentence_for_people_and_fields_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("queued", task="t-1", attempt=2)

    assert only_line(capsys) == {"severity": "INFO", "message": "queued", "task": "t-1", "attempt": 2}


def test_nothing_that_is_logged_can_break_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning('two\nlines "quoted"\r\u2028\ud800', name="a\nb\0", path=Path("x"))

    line = only_line(capsys)
    assert line["severity"] == "WARNING"
    assert line["message"] == 'two\nlines "quoted"\r\u2028\ud800'
    assert line["name"] == "a\nb\0"
    assert line["path"] == "x"


def test_an_error_carries_the_stack_of_its_failure(capsys: pytest.CaptureFixture[str]) -> None:
    log.error("unforeseen error", ValueError("secret detail"), code="internal")

    line = only_line(capsys)
    assert line["severity"] == "ERROR"
    assert line["code"] == "internal"
    assert "ValueError: secret detail" in line["stack_trace"]


def test_an_error_without_a_failure_has_no_stack(capsys: pytest.CaptureFixture[str]) -> None:
    log.error("gave up")

    assert only_line(capsys) == {"severity": "ERROR", "message": "gave up"}


def test_every_line_has_the_bound_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.bind(object="cat.jpg", job="j-1")
    log.warning("answered 503", code="unavailable")
    bound = only_line(capsys)
    log.bind()
    log.info("queued")

    assert bound == {"severity": "WARNING", "message": "answered 503", "object": "cat.jpg", "job": "j-1", "code": "unavailable"}
    assert only_line(capsys) == {"severity": "INFO", "message": "queued"}


def test_the_lines_of_one_request_stand_together(capsys: pytest.CaptureFixture[str], traced: str) -> None:
    log.info("queued")

    assert only_line(capsys)["logging.googleapis.com/trace"] == traced
