"""One POST to a receiver: its bytes, and every answer that it may get, within the deadline."""

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
import trustme

from shared.webhooks import posting
from shared.webhooks.posting import Answer, Patience
from tests.eventually import eventually
from tests.unit.outside.encryption import encrypted
from tests.unit.outside.services import Server, Talk, answering, request, serving

BODY = b'{"id":"job-1"}'
HEADERS = {"Content-Type": "application/cloudevents+json", "webhook-id": "job-1"}


def post(server: Server, path: str = "/hook?for=a", seconds: float = 20, body: bytes = BODY) -> Answer:
    patience = Patience(time.monotonic() + seconds)
    return posting.post(f"{server.url}{path}", body, HEADERS, patience, loopback=True)


def status(line: str, *headers: str, body: bytes = b"") -> bytes:
    head = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {line}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_the_request_has_the_headers_and_the_body_as_they_are() -> None:
    with serving(answering(status("204 No Content"))) as server:
        answer = post(server)

    assert answer == Answer(204, "answered 204")
    (sent,) = server.received
    head, _, body = sent.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /hook?for=a HTTP/1.1"
    assert sorted(lines) == [
        "Accept-Encoding: identity",
        "Connection: close",
        "Content-Length: 14",
        "Content-Type: application/cloudevents+json",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: sluice",
        "webhook-id: job-1",
    ]
    assert body == BODY


@pytest.mark.parametrize(("path", "target"), [("", "/"), ("/", "/"), ("?a=1", "/?a=1"), ("/a%20b/../c", "/a%20b/../c")])
def test_the_target_is_that_of_the_url(path: str, target: str) -> None:
    with serving(answering(status("200 OK"))) as server:
        post(server, path)

    assert server.received[0].startswith(f"POST {target} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("200 OK", "answered 200"),
        ("202 Accepted", "answered 202"),
        ("301 Moved", "answered 301, a redirect, which is not followed; write the final address into `url`"),
        ("302 Found", "answered 302, a redirect, which is not followed; write the final address into `url`"),
        ("307 Temporary", "answered 307, a redirect, which is not followed; write the final address into `url`"),
        ("400 Bad", "answered 400: no such order"),
        ("410 Gone", "answered 410: no such order"),
        ("500 Oops", "answered 500: no such order"),
    ],
)
def test_a_status_is_told_with_the_beginning_of_an_errors_body(line: str, words: str) -> None:
    with serving(answering(status(line, "Location: http://169.254.169.254/", body=b"no such\x1b order\n"))) as server:
        assert post(server) == Answer(int(line[:3]), words)

    assert len(server.received) == 1


def test_an_informational_answer_is_not_the_end() -> None:
    talk = answering(b"HTTP/1.1 100 Continue\r\n\r\n" + status("200 OK"))
    with serving(talk) as server:
        assert post(server).status == 200


@pytest.mark.parametrize(
    ("text", "pause"),
    [("120", 120), ("0", 0), (" 7 ", 7), ("999999", 3600), ("9" * 30, 0), ("-5", 0), ("1.5", 0), ("²", 0), ("soon", 0)],
)
@pytest.mark.parametrize("line", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_receiver_may_ask_for_a_pause(line: str, text: str, pause: int) -> None:
    talk = answering(f"HTTP/1.1 {line}\r\nRetry-After: {text}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
    with serving(talk) as server:
        assert post(server).pause == pause


def test_no_other_answer_asks_for_a_pause() -> None:
    with serving(answering(status("500 Oops", "Retry-After: 120"))) as server:
        assert post(server).pause == 0


def test_a_large_answer_is_read_no_further_than_its_beginning() -> None:
    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 100_000)

    with serving(talk) as server:
        assert post(server) == Answer(500, "answered 500: " + "x" * 200)


def test_an_answer_before_the_end_of_the_request_counts() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(status("413 Too Large"))

    with serving(talk) as server:
        assert post(server, body=b"x" * 20_000_000).status == 413


def closed(connection: socket.socket) -> None:
    """End the connection without an answer."""
    request(connection)


def silent(connection: socket.socket) -> None:
    """Read until the other side gives up."""
    while connection.recv(65536):
        pass


def trickling(connection: socket.socket, beginning: bytes = b"") -> None:
    """Send a byte now and then, for ever."""
    request(connection)
    with suppress(OSError):
        connection.sendall(beginning)
        while True:
            connection.sendall(b"H")
            if not _waits(connection):
                return


def _waits(connection: socket.socket) -> bool:
    """Wait a moment for the end of the other side; whether it still waits."""
    real = connection._connection  # type: ignore[attr-defined]  # the record's own
    real.settimeout(0.02)
    try:
        return bool(real.recv(1))
    except TimeoutError:
        return True


def endless(connection: socket.socket) -> None:
    """Answer an error whose body never ends."""
    request(connection)
    connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\nfirst")
    silent(connection)


@pytest.mark.parametrize(
    ("talk", "seconds", "why"),
    [
        (closed, 20, "RemoteDisconnected"),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), 20, "BadStatusLine"),
        (answering(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200), 20, "HTTPException"),
        (answering(b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000), 20, "LineTooLong"),
        (answering(b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n"), 20, "IncompleteRead"),
        (silent, 0.3, "no answer within 15 seconds"),
        (trickling, 0.3, "no answer within 15 seconds"),
        (partial(trickling, beginning=b"HTTP/1.1 200 OK\r\nA: "), 0.3, "no answer within 15 seconds"),
        (endless, 0.3, "no answer within 15 seconds"),
    ],
    ids=[
        "closed",
        "no http",
        "many headers",
        "long header",
        "no chunk",
        "silent",
        "trickling",
        "headers that trickle",
        "endless",
    ],
)
def test_what_is_no_answer_is_told(talk: Talk, seconds: float, why: str) -> None:
    with serving(talk) as server:
        answer = post(server, seconds=seconds)
        words = f"{server.url} is not reached, or broke off: {why}"

    assert (answer.status, answer.words) == (0, words)


def test_a_port_without_a_server_is_told() -> None:
    with serving(closed) as server:
        pass

    assert post(server) == Answer(0, f"{server.url} is not reached, or broke off: Connection refused")


def test_an_address_that_is_not_public_is_never_called() -> None:
    with serving(answering(status("200 OK"))) as server:
        answer = posting.post(f"{server.url}/", BODY, HEADERS, Patience(), loopback=False)

    assert answer.status == 0
    assert answer.words.startswith("127.0.0.1 is this computer (127.0.0.1); SLUICE_WEBHOOK_LOOPBACK=1 allows that")
    assert server.received == []


class Rebound:
    """A resolver whose first answer is this computer, allowed here, and whose later ones are the metadata server."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return ["127.0.0.1"] if len(self.asked) == 1 else ["169.254.169.254"]


def test_a_name_is_resolved_once_and_its_certificate_verified(authority: trustme.CA) -> None:
    seen: list[str | None] = []
    rebound, heads = Rebound(), list[bytes]()

    def talk(connection: socket.socket) -> None:
        held = b""
        while not held.endswith(BODY):
            held += connection.recv(65536)
        heads.append(held)
        connection.sendall(status("200 OK"))

    with serving(encrypted(authority, "orders.test", talk, seen)) as server:
        url = f"https://orders.test:{server.port}/hook"
        first = posting.post(url, BODY, HEADERS, Patience(), loopback=True, resolve=rebound)
        second = posting.post(url, BODY, HEADERS, Patience(), loopback=True, resolve=rebound)

    assert first.status == 200
    assert seen == ["orders.test"]
    assert f"\r\nHost: orders.test:{server.port}\r\n".encode() in heads[0]
    assert rebound.asked == ["orders.test", "orders.test"]  # once for each attempt
    assert second == Answer(
        0, "orders.test has the address 169.254.169.254, which is not public; name a host with public addresses only"
    )


def test_a_certificate_of_another_host_is_refused(authority: trustme.CA) -> None:
    with serving(encrypted(authority, "other.test", answering(status("200 OK")))) as server:
        url = f"https://orders.test:{server.port}/hook"
        answer = posting.post(url, BODY, HEADERS, Patience(), loopback=True, resolve=lambda *_: ["127.0.0.1"])

    assert answer.status == 0
    assert "its certificate is refused: Hostname mismatch" in answer.words


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(status("200 OK"))) as proxy, serving(answering(status("204 No Content"))) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)

        assert post(server).status == 204
    assert proxy.received == []


def test_many_slow_receivers_leave_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with serving(silent) as server:
        for _ in range(3):
            post(server, seconds=0.1)

    eventually(lambda: set(threading.enumerate()) <= before, "the end of the threads")


def test_an_attempt_has_15_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", lambda: 100.0)
        patience = Patience()

    assert patience.deadline == 115.0


def test_a_deadline_that_has_passed_calls_nobody() -> None:
    with serving(answering(status("200 OK"))) as server:
        assert replace(post(server, seconds=-1), words="").status == 0

    assert server.received == []
