"""Records of Python libraries become log lines; tests/functions/test_library_output.py runs whole servers."""

import json
import logging

import pytest

from shared.library_output import Records


def record(level: int, message: object, *arguments: object, failure: BaseException | None = None) -> logging.LogRecord:
    """A record of a library's logger."""
    information = (type(failure), failure, None) if failure else None
    return logging.LogRecord("urllib3.connection", level, "file.py", 1, message, arguments, information)


@pytest.mark.parametrize(
    ("level", "severity", "sentence"),
    [
        (logging.INFO, "INFO", "a library logged an event"),
        (logging.WARNING, "WARNING", "a library logged a warning"),
        (logging.CRITICAL, "ERROR", "a library logged an error"),
    ],
)
def test_a_record_is_a_line_with_its_logger_and_text(
    capsys: pytest.CaptureFixture[str], level: int, severity: str, sentence: str
) -> None:
    Records().emit(record(level, "connection to %s lost", "host"))

    line = json.loads(capsys.readouterr().out)
    assert (line["severity"], line["message"]) == (severity, sentence)
    assert (line["logger"], line["text"]) == ("urllib3.connection", "connection to host lost")


def test_an_error_carries_its_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    Records().emit(record(logging.ERROR, "lost", failure=ZeroDivisionError("division by zero")))

    assert "ZeroDivisionError: division by zero" in json.loads(capsys.readouterr().out)["stack_trace"]


def test_a_filter_takes_the_record_from_other_handlers(capsys: pytest.CaptureFixture[str]) -> None:
    assert Records().take(record(logging.WARNING, "lost")) is False
    assert json.loads(capsys.readouterr().out)["text"] == "lost"
