"""`service.call`: one request, and the answer as facts, an output or parts."""

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import processors
from shared.errors import BadFile, ProcessorFailed
from shared.processors import Made
from tests.unit.outside.services import Server, answering, ok, request, serving, written

FORM = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n'


def call(server: Server, folder: Path, data: bytes = b"text", path: str = "/", **options: Any) -> Made:
    processor = processors.find("service.call")
    checked = processor.check({"url": f"{server.url}{path}", **options})
    return processor.run(written(folder, data), folder, checked, reach=server.reach)


def test_the_file_itself_is_sent_and_a_json_object_becomes_facts(tmp_path: Path) -> None:
    with serving(answering(ok(b'{"language": "de", "pages": 3}'))) as service:
        made = call(service, tmp_path, b"Gr\xfc\xdfe", "/detect?deep=1", content_type="text/plain", headers={"X-Mode": "fast"})

    head, _, body = service.received[0].partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    assert (made.facts, made.drafts) == ({"language": "de", "pages": 3}, ())
    assert (first, body) == (b"POST /detect?deep=1 HTTP/1.1", b"Gr\xfc\xdfe")
    assert sorted(headers) == [
        b"Accept-Encoding: identity",
        b"Connection: close",
        b"Content-Length: 5",
        b"Content-Type: text/plain",
        b"Host: " + service.url.removeprefix("http://").encode(),
        b"User-Agent: sluice",
        b"X-Mode: fast",
    ]


def test_a_form_has_the_file_under_its_name_and_the_fields_before_it(tmp_path: Path) -> None:
    options: dict[str, Any] = {"body": "form", "field": "files", "file_name": 'a"b.docx', "fields": {"landscape": "true"}}
    with serving(answering(ok(b'{"a": 1}'))) as service:
        call(service, tmp_path, b"PK", **options)

    head, _, body = service.received[0].partition(b"\r\n\r\n")
    boundary = head.partition(b"boundary=")[2].partition(b"\r\n")[0]
    assert f"Content-Length: {len(body)}".encode() in head
    assert body == (
        b'--%s\r\nContent-Disposition: form-data; name="landscape"\r\n\r\ntrue\r\n'
        b'--%s\r\nContent-Disposition: form-data; name="files"; filename="a%%22b.docx"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\nPK\r\n--%s--\r\n"
    ) % (boundary, boundary, boundary)


@pytest.mark.parametrize(("given", "kept"), [("", "application/pdf"), ("application/x-own", "application/x-own")])
def test_the_answer_becomes_an_output(given: str, kept: str, tmp_path: Path) -> None:
    with serving(answering(ok(b"%PDF-1.7", "application/pdf"))) as service:
        (draft,) = call(service, tmp_path, answer="output", output="document.pdf", output_type=given).drafts

    assert (draft.name, draft.content_type, draft.path.read_bytes()) == ("document.pdf", kept, b"%PDF-1.7")


def test_an_output_may_have_all_the_bytes_of_its_limit(tmp_path: Path) -> None:
    with serving(answering(ok(bytes(1 << 20), "application/pdf"))) as service:
        (draft,) = call(service, tmp_path, answer="output", output="document.pdf").drafts

    assert draft.path.stat().st_size == 1 << 20


@pytest.mark.parametrize("kind", ["multipart/form-data", 'multipart/mixed; charset="utf-8"'])
def test_each_part_of_a_multipart_answer_becomes_an_output(kind: str, tmp_path: Path) -> None:
    picture = FORM % (b"1", b'; filename="1.png"', b"Content-Type: image/png\r\n", b"\x89PNG\r\n--\r\n")
    text = FORM % (b"notes.txt", b"", b"", b"")
    with serving(answering(ok(picture + text + b"--b--\r\n", f"{kind}; boundary=b"))) as service:
        made = call(service, tmp_path, answer="parts")

    assert [(one.name, one.content_type, one.path.read_bytes()) for one in made.drafts] == [
        ("1.png", "image/png", b"\x89PNG\r\n--\r\n"),
        ("notes.txt", "application/octet-stream", b""),
    ]


def test_an_answer_without_a_length_ends_with_the_connection_or_its_last_chunk(tmp_path: Path) -> None:
    open_end = answering(b"HTTP/1.0 200 OK\r\n\r\n" + b'{"a": 1}')
    chunked = answering(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 2}\r\n0\r\n\r\n')
    with serving(open_end, chunked) as service:
        assert call(service, tmp_path).facts == {"a": 1}
        assert call(service, tmp_path).facts == {"a": 2}


def test_status_422_is_the_fault_of_the_file(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 422 No\r\nContent-Length: 19\r\n\r\nno\x1b text\n\nin page 3"
    with serving(answering(answer)) as service, pytest.raises(BadFile) as refused:
        call(service, tmp_path)

    assert (refused.value.code, refused.value.message) == ("refused_by_service", "the service answered 422: no text in page 3")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", "the service answered 429"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nfull", "the service answered 503: full"),
        (b"HTTP/1.1 404 No\r\n\r\n" + b"x" * 3000, f"the service answered 404: {'x' * 200}"),
        (b"HTTP/1.1 302 There\r\nLocation: http://169.254.169.254/\r\n\r\n", "the service answered 302, a redirect"),
    ],
)
def test_every_other_status_costs_an_attempt_and_says_what_came(answer: bytes, message: str, tmp_path: Path) -> None:
    with serving(answering(answer)) as service, pytest.raises(ProcessorFailed) as failed:
        call(service, tmp_path)

    assert failed.value.message.startswith(message)
    assert len(failed.value.message) <= 250
    assert len(service.received) == 1


def test_a_service_that_refuses_early_is_heard(tmp_path: Path) -> None:
    def refusing(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Too large\r\nContent-Length: 9\r\n\r\nat most 1")

    with serving(refusing) as service, pytest.raises(ProcessorFailed, match=r"^the service answered 413: at most 1$"):
        call(service, tmp_path, bytes(20 << 20))


@pytest.mark.parametrize(
    ("answer", "options", "message"),
    [
        (ok(b"<html>", "text/html; x=y"), {}, "no JSON object of at most 60 levels, but 6 bytes of 'text/html'"),
        (ok(b"[1]"), {}, "no JSON object"),
        (ok(b'{"a": NaN}'), {}, "no JSON object"),
        (ok(b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}"), {}, "no JSON object"),
        (ok(b'{"a": ' + b"[" * 100_000), {}, "no JSON object"),
        (ok(b"\xff"), {}, "no JSON object"),
        (ok(b"x", "text/plain"), {"answer": "parts"}, "`parts` needs multipart/form-data"),
        (ok(b"x", "multipart/mixed"), {"answer": "parts"}, "`parts` needs multipart/form-data"),
        (ok(b"--b\r\n\r\nx", "multipart/mixed; boundary=b"), {"answer": "parts"}, "is malformed"),
        (ok(FORM % (b"a", b"", b"", b"x"), "multipart/mixed; boundary=b"), {"answer": "parts"}, "is malformed"),
        (ok(FORM % (b"a/b", b"", b"", b"") + b"--b--", "multipart/mixed; boundary=b"), {"answer": "parts"}, "part 1 .* 'a/b'"),
        (ok(FORM % (b"a", b"", b"", b"") * 2 + b"--b--", "multipart/mixed; boundary=b"), {"answer": "parts"}, "part 2 .* 'a'"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", {}, "Content-Encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", {"answer": "output", "output": "a"}, "broke off: IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx", {"answer": "output", "output": "a"}, "broke off"),
        (b"", {}, "broke off: "),
        (b"SSH-2.0-OpenSSH\r\n", {}, "broke off: BadStatusLine"),
    ],
)
def test_an_answer_of_another_kind_costs_an_attempt(
    answer: bytes, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with serving(answering(answer)) as service, pytest.raises(ProcessorFailed, match=message):
        call(service, tmp_path, **options)


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        (b"HTTP/1.1 204 Nothing\r\n\r\n", {}),
        (ok(b"{}"), {}),
        (ok(b""), {"answer": "output", "output": "a"}),
        (ok(b"--b--\r\n", "multipart/mixed; boundary=b"), {"answer": "parts"}),
    ],
)
def test_an_empty_answer_has_no_output(answer: bytes, options: dict[str, Any], tmp_path: Path) -> None:
    with serving(answering(answer)) as service, pytest.raises(BadFile) as refused:
        call(service, tmp_path, **options)

    assert refused.value.code == "no_output"


def flooding(start: bytes, block: bytes) -> Callable[[socket.socket], None]:
    """A service whose answer goes on for ever."""

    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(block)

    return talk


PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("start", "block", "options"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536), {"answer": "output", "output": "a"}),
        (b'HTTP/1.1 200 OK\r\n\r\n{"a": "', b"x" * 65536, {}),
        (b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + PART, bytes(65536), {"answer": "parts"}),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
            b"X: y\r\n" * 999,
            {"answer": "parts"},
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", b"preamble" * 999, {"answer": "parts"}),
    ],
    ids=["output", "facts", "part", "headers of a part", "preamble"],
)
def test_an_answer_without_end_stops_at_the_limit_of_outputs(
    start: bytes, block: bytes, options: dict[str, Any], tmp_path: Path
) -> None:
    with serving(flooding(start, block)) as service, pytest.raises(BadFile) as refused:
        call(service, tmp_path, **options)

    assert refused.value.code == "limit_output"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= (1 << 20) + 65536


def silent(connection: socket.socket) -> None:
    """A service that never answers."""
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (b"", b"X"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 2000\r\n\r\n", b" "),
    ],
    ids=["status", "interim answers", "header", "body", "error"],
)
def test_an_answer_of_single_bytes_ends_at_the_limit_of_time(start: bytes, block: bytes, tmp_path: Path) -> None:
    def trickling(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(block)
            time.sleep(0.05)  # the fault itself: a byte now and then

    with serving(trickling) as service, pytest.raises(BadFile) as late:
        _call_within(0.4, service, tmp_path)

    assert late.value.code == "limit_time"


def test_a_service_that_never_answers_ends_at_the_limit_of_time(tmp_path: Path) -> None:
    with serving(silent) as service, pytest.raises(BadFile) as late:
        _call_within(0.4, service, tmp_path)

    assert late.value.code == "limit_time"


def _call_within(seconds: float, service: Server, folder: Path) -> None:
    processor = processors.find("service.call")
    checked = processor.check({"url": service.url, "answer": "output", "output": "a"})
    soon = replace(service.reach, deadline=time.monotonic() + seconds)
    processor.run(written(folder, b"text"), folder, checked, reach=soon)


def test_a_service_that_is_not_there_costs_an_attempt(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(ProcessorFailed, match=f"^http://127.0.0.1:{port} is not reached, or broke off: Connection refused$"):
        call(Server(port), tmp_path)


def test_messages_hide_the_values_of_secret_headers_and_tokens(tmp_path: Path) -> None:
    echo = b"HTTP/1.1 403 No\r\n\r\nnot Bearer abc123, nor key-9, nor abc123: fast"
    with serving(answering(echo)) as service:
        options = {"headers": {"X-Mode": "fast"}, "secret_headers": {"X-Key": "ocr"}, "audience": "https://ocr.example"}
        processor = processors.find("service.call")
        checked = processor.check({"url": service.url, **options})
        reach = replace(service.reach, secrets={"ocr": "key-9"}, token={"https://ocr.example": "abc123"}.__getitem__)
        with pytest.raises(ProcessorFailed) as failed:
            processor.run(written(tmp_path, b"text"), tmp_path, checked, reach=reach)

    assert failed.value.message == "the service answered 403: not …, nor …, nor …: fast"
    assert b"\r\nX-Key: key-9\r\n" in service.received[0]
    assert b"\r\nAuthorization: Bearer abc123\r\n" in service.received[0]
