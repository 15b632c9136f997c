"""Headers that ask for what an upload is not are refused by name."""

from collections.abc import Iterator

import pytest
from flask import Request

from shared import intake
from shared.errors import PipelineError
from tests.unit.test_intake import CLOSING, OPENING, files, refusal, request


def asked(headers: dict[str, str], method: str = "PUT") -> Request:
    def never() -> Iterator[bytes]:
        pytest.fail("read")
        yield b""

    return request(never(), path="/cat.jpg", method=method, headers=headers)


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("Content-Range", "bytes 0-3/10", 400, "partial_content"),
        ("Content-Range", "bytes 0-3/4", 400, "partial_content"),
        ("Content-Range", "bytes */10", 400, "partial_content"),
        ("If-Match", "*", 412, "precondition_failed"),
        ("If-Match", '"abc"', 412, "precondition_failed"),
        ("x-goog-if-generation-match", "1700000000000001", 412, "precondition_failed"),
        ("x-goog-if-metageneration-match", "1", 412, "precondition_failed"),
        ("X-HTTP-Method-Override", "DELETE", 400, "bad_request"),
        ("X-HTTP-Method", "PATCH", 400, "bad_request"),
        ("X-Method-Override", "GET", 400, "bad_request"),
        ("Transfer-Encoding", "gzip, chunked", 415, "unsupported_encoding"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_header_that_would_be_ignored_is_refused_by_name(name: str, value: str, status: int, code: str, method: str) -> None:
    with pytest.raises(PipelineError) as found:
        next(intake.read(asked({name: value}, method)))

    assert (found.value.status, found.value.code) == (status, code)
    assert name.lower() in found.value.message.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-None-Match", "*"),
        ("If-None-Match", '"abc"'),
        ("x-goog-if-generation-match", "0"),
        ("Range", "bytes=0-3"),
        ("Transfer-Encoding", "Chunked"),
        ("If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("X-HTTP-Method-Override", "put"),
    ],
)
def test_a_condition_that_a_new_object_meets_is_accepted(name: str, value: str) -> None:
    given = request([b"meow"], path="/cat.jpg", method="PUT", kind="image/jpeg", headers={name: value})

    assert files(given) == [("cat.jpg", "image/jpeg", b"meow")]


def test_a_part_of_a_file_in_a_form_is_refused() -> None:
    form = OPENING[:-2] + b"Content-Range: bytes 0-3/10\r\n\r\nmeow" + CLOSING

    assert refusal(request([form])).code == "partial_content"
    assert refusal(request([OPENING + b"meow" + CLOSING], headers={"content-range": "bytes 0-3/10"})).code == "partial_content"
