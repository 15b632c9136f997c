"""A log line is one JSON object on one line, with any content."""

import ast
import errno
import hashlib
import io
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared import log
from shared.settings import ROOT

PLATFORM = "105445aa7843bc8bf206b12000100000"
JOB = "bmr4ekbtjnqxyrm5dnzkh6kbdq-1764250000000001"
TRACE, SPAN = "logging.googleapis.com/trace", "logging.googleapis.com/spanId"


@pytest.fixture(autouse=True)
def _new_request() -> None:
    log.begin("", "")


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


def test_a_full_disk_costs_lines_and_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sys.stdout", Full())
    log.info("queued")


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


def test_a_request_without_a_file_is_on_the_platforms_trace(capsys: pytest.CaptureFixture[str]) -> None:
    log.begin("p", PLATFORM)
    log.info("queued")

    assert only_line(capsys) == {"severity": "INFO", "message": "queued", TRACE: f"projects/p/traces/{PLATFORM}"}


def followed(capsys: pytest.CaptureFixture[str], job_id: str, *span: object, platform: str = "") -> dict[str, Any]:
    """A line of a request of its own that follows this job."""
    log.begin("p", platform)
    log.follow(job_id, *span)
    log.info("queued")
    return only_line(capsys)


def test_every_function_puts_a_job_on_the_same_trace(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [followed(capsys, JOB, "upload", platform=PLATFORM), followed(capsys, JOB, "images-task", 1)]

    expected = f"projects/p/traces/{hashlib.sha256(JOB.encode()).hexdigest()[:32]}"
    assert [line[TRACE] for line in lines] == [expected] * 2
    assert {line["file_id"] for line in lines} == {JOB.split("-")[0]}


def test_the_platforms_trace_of_a_followed_request_is_still_found(capsys: pytest.CaptureFixture[str]) -> None:
    line = followed(capsys, JOB, "upload", platform=PLATFORM)

    assert line["request_trace"] == f"projects/p/traces/{PLATFORM}"
    assert "request_trace" not in followed(capsys, JOB, "upload")


def test_later_runs_are_on_the_trace_of_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [followed(capsys, JOB), followed(capsys, f"{JOB}-r1"), followed(capsys, f"{JOB[:-1]}2")]

    assert lines[0][TRACE] == lines[1][TRACE] != lines[2][TRACE]


def test_each_delivery_of_a_task_has_a_span_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    spans = [followed(capsys, JOB, *span)[SPAN] for span in (("t", 1), ("t", 2), ("t", 2), ("t2",), ("upload",))]

    assert spans[1] == spans[2]
    assert len(set(spans)) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", span) for span in spans)


def test_a_new_request_is_on_no_timeline(capsys: pytest.CaptureFixture[str]) -> None:
    followed(capsys, JOB, "upload", platform=PLATFORM)
    log.begin("p", "")
    log.info("queued")

    assert only_line(capsys) == {"severity": "INFO", "message": "queued"}


def test_a_line_about_the_next_file_of_a_request_is_not_on_the_timeline_of_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    followed(capsys, JOB, "upload", platform=PLATFORM)
    log.bind(object="next.jpg")
    log.warning("answered with an error")

    line = only_line(capsys)
    assert line[TRACE] == f"projects/p/traces/{PLATFORM}"
    assert not {"file_id", SPAN} & line.keys()


def test_without_a_project_a_line_has_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    log.follow(JOB, "upload")
    log.info("queued")

    assert TRACE not in only_line(capsys)


def varying(text: str) -> list[int]:
    """The lines of this source where a log call's sentence is not a constant."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    logs = [call for call in calls if ast.unparse(call.func) in ("log.info", "log.warning", "log.error")]
    return [call.lineno for call in logs if not (call.args and _is_text(call.args[0]))]


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) and _is_text(node.orelse)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_every_sentence_is_constant_so_that_lines_can_be_grouped() -> None:
    sources = [path for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): varying(path.read_text()) for path in sources}

    assert {path: lines for path, lines in found.items() if lines} == {}
    assert {"shared/web.py", "shared/library_output.py", "functions/status/main.py"} <= set(found)


@pytest.mark.parametrize(
    "sentence", ['f"queued {task}"', '"queued %s" % task', '"queued {}".format(task)', "sentence", '"a" if b else c', "**all"]
)
def test_a_varying_sentence_is_seen(sentence: str) -> None:
    assert varying(f"def f():\n    log.warning({sentence}, code=1)") == [2]


def test_lines_can_go_elsewhere_for_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[dict[str, Any]] = []

    with log.sent_to(lines.append):
        log.warning("the queue cannot be asked", error="down")
    log.info("queued")

    assert [(line["severity"], line["message"], line["error"]) for line in lines] == [
        ("WARNING", "the queue cannot be asked", "down")
    ]
    assert only_line(capsys)["message"] == "queued"
