"""The body of a request is ended where it comes too slowly, and says where it breaks off."""

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from shared import pace as pacing
from shared.errors import BodyCutShort, BodyTooSlow, PipelineError
from shared.pace import FIRST_BYTES, Body, Pace, Paced, Watchdog

FAST = Pace(60, 1)
#: Time for what must happen; it fails the test when it is over.
PATIENCE_SECONDS = 30


class Connection:
    """A body from a network: pieces that are there, then a wait that ends only when the receiving side is closed."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self._closed = threading.Event()
        self.sizes: list[int] = []

    def read(self, size: int, /) -> bytes:
        self.sizes.append(size)
        if self._pieces:
            return self._pieces.pop(0)
        assert self._closed.wait(PATIENCE_SECONDS), "the read was not ended"
        return b""

    def shutdown(self, how: int = socket.SHUT_RD) -> None:
        assert how == socket.SHUT_RD
        self._closed.set()


def refusal(body: Body) -> PipelineError:
    with pytest.raises(PipelineError) as found:
        body.readall()
    return found.value


@pytest.mark.parametrize(
    ("size", "seconds"), [(0, 10), (8_000, 11), (80_000, 20), (800_000, 110), (8_000_000, 240), (80_000_000, 240)]
)
def test_the_time_for_a_body_grows_with_its_bytes_up_to_a_limit(size: int, seconds: float) -> None:
    assert Pace(240, 8_000).allowed(size) == seconds


@pytest.mark.parametrize("length", [None, 1000])
@pytest.mark.parametrize("pace", [Pace(0.5, 1), Pace(60, 1e9, grace_seconds=0.5)], ids=["limit", "rate"])
def test_a_body_that_stalls_is_ended(pace: Pace, length: int | None) -> None:
    connection = Connection(b"some", b"thing")
    body = Body(connection, length, pace, connection.shutdown)
    error = refusal(body)

    assert isinstance(error, BodyTooSlow)
    assert re.match(r"the body came too slowly: 9 bytes in \d+ seconds; ", error.message)
    assert isinstance(refusal(body), BodyTooSlow)


def test_a_server_that_fails_at_the_end_of_a_slow_body_makes_it_no_broken_one() -> None:
    class Failing(Connection):
        def read(self, size: int, /) -> bytes:
            super().read(size)
            raise OSError("gunicorn's parser of chunks found no end")

    connection = Failing()

    assert isinstance(refusal(Body(connection, None, Pace(0.05, 1), connection.shutdown)), BodyTooSlow)


def test_the_seconds_of_all_reads_count_together() -> None:
    class Slow(Connection):
        def read(self, size: int, /) -> bytes:
            self.sizes.append(size)
            self._closed.wait(0.01)
            return b"x" if len(self.sizes) < 200 else b""

    connection = Slow()

    assert isinstance(refusal(Body(connection, None, Pace(0.2, 1), connection.shutdown)), BodyTooSlow)
    assert len(connection.sizes) <= 21


def test_a_body_that_comes_fast_is_read_in_growing_blocks() -> None:
    connection = Connection(bytes(FIRST_BYTES), bytes(FIRST_BYTES), bytes(2 * FIRST_BYTES), b"end")
    body = Body(connection, 4 * FIRST_BYTES + 3, FAST, connection.shutdown)
    blocks = list(iter(lambda: body.read(1 << 20), b""))

    assert b"".join(blocks) == bytes(4 * FIRST_BYTES) + b"end"
    assert connection.sizes == [FIRST_BYTES, FIRST_BYTES, 2 * FIRST_BYTES, 4 * FIRST_BYTES]


@pytest.mark.parametrize("length", [0, 3])
def test_nothing_is_read_after_the_end(length: int) -> None:
    connection = Connection(b"end")

    assert Body(connection, length, FAST, connection.shutdown).readall() == b"end"[:length]
    assert len(connection.sizes) == (1 if length else 0)


def test_a_body_that_breaks_off_is_to_be_sent_again() -> None:
    class Broken(Connection):
        def read(self, size: int, /) -> bytes:
            return super().read(size) if self._pieces else self._break()

        def _break(self) -> bytes:
            raise ConnectionResetError

    class Ended(Broken):
        def _break(self) -> bytes:
            return b""

    for connection in (Broken(b"some"), Ended(b"some")):
        assert isinstance(refusal(Body(connection, 5, FAST, connection.shutdown)), BodyCutShort)
    assert "ended 1 bytes before its Content-Length" in refusal(Body(Ended(b"some"), 5, FAST, None)).message
    assert Body(Ended(b"some"), None, FAST, None).readall() == b"some"


# ---- the rest of a body


def test_the_rest_is_read_after_the_answer() -> None:
    connection = Connection(b"one", b"two", b"end")
    body = Body(connection, 9, FAST, connection.shutdown)
    body.read(3)
    body.linger()

    assert len(connection.sizes) == 3
    assert not body.is_late


@pytest.mark.parametrize(("most", "seconds"), [(0.05, 3600), (3600, 0.05)])
def test_the_rest_is_awaited_for_a_limited_time(most: float, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "LINGER_SECONDS", most)
    connection = Connection(b"one")
    body = Body(connection, 9, Pace(seconds, 1), connection.shutdown)
    body.linger()

    assert body.is_late


class Gunicorn:
    """The part of gunicorn's answer that ends a connection."""

    def __init__(self) -> None:
        self.is_closing = False

    def force_close(self) -> None:
        self.is_closing = True

    def start_response(self, status: str, _headers: Any, _exc_info: Any = None) -> Any:
        self.status = status
        return lambda _data: None


@pytest.mark.parametrize(("is_slow", "status"), [(True, "408 Slow"), (False, "200 OK")])
def test_a_connection_is_closed_after_a_slow_body_only(*, is_slow: bool, status: str) -> None:
    connection, server = Connection(b"some", b""), Gunicorn()

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        try:
            environ["wsgi.input"].readall()
            start_response("200 OK", [])
        except BodyTooSlow:
            start_response("408 Slow", [])
        yield b"answer"

    if is_slow:
        connection = Connection(b"some")
    paced = Paced(application, Pace(0.05 if is_slow else 60, 1))
    environ = {"wsgi.input": connection, "HTTP_TRANSFER_ENCODING": "chunked", "gunicorn.socket": connection}

    assert b"".join(paced(environ, server.start_response)) == b"answer"
    assert (server.status, server.is_closing) == (status, is_slow)


def test_the_rest_is_read_when_the_answer_is_sent_and_closed() -> None:
    connection, steps = Connection(b"one", b"two"), list[str]()

    class Answer(list[bytes]):
        def close(self) -> None:
            steps.append(f"closed after {len(connection.sizes)} reads")

    environ = {"wsgi.input": connection, "CONTENT_LENGTH": "6", "gunicorn.socket": connection}
    answer = Paced(lambda *_: Answer([b"answer"]), FAST)(environ, Gunicorn().start_response)

    assert (b"".join(answer), steps, len(connection.sizes)) == (b"answer", ["closed after 0 reads"], 2)


def test_a_request_without_a_body_waits_for_none() -> None:
    connection = Connection()
    environ: dict[str, Any] = {"wsgi.input": connection, "gunicorn.socket": connection}
    list(Paced(lambda given, _: [given["wsgi.input"].read(1)], FAST)(environ, Gunicorn().start_response))

    assert connection.sizes == []


def test_an_application_without_gunicorn_gets_its_body() -> None:
    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield environ["wsgi.input"].readall()

    client = Client(Paced(application, FAST))

    assert client.post("/", data=b"some words").data == b"some words"
    assert client.get("/").data == b""


# ---- the watchdog


def test_a_watchdog_calls_what_is_late_and_nothing_else() -> None:
    watchdog, late, later, called = Watchdog(), threading.Event(), threading.Event(), list[str]()
    with watchdog.watching(60, lambda: called.append("outer")):
        with watchdog.watching(0, lambda: called.append("early")), watchdog.watching(0.01, late.set):
            assert late.wait(PATIENCE_SECONDS)
        with watchdog.watching(0.5, lambda: called.append("in time")):
            pass
        with watchdog.watching(0.6, later.set):
            assert later.wait(PATIENCE_SECONDS)

    assert called == ["early"]


def test_a_watchdog_has_one_thread() -> None:
    watchdog = Watchdog()
    before = set(threading.enumerate())
    for _ in range(5):
        with watchdog.watching(0, lambda: None):
            pass

    assert [thread.name for thread in threading.enumerate() if thread not in before] == ["watchdog"]


def sent(answer: list[bytes], pace: Pace, server: socket.socket) -> None:
    """Send an answer as gunicorn does: the headers go with the first piece, and a send waits for the client."""

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return answer

    environ = {"wsgi.input": Connection(), "gunicorn.socket": server}
    head = bytes(1 << 23)
    for piece in Paced(application, pace)(environ, Gunicorn().start_response):
        server.sendall(head + piece)
        head = b""


@pytest.mark.parametrize("answer", [[b"some", b"thing"], []], ids=["body", "headers"])
def test_an_answer_that_is_not_read_is_given_up(answer: list[bytes]) -> None:
    server, client = socket.socketpair()
    with server, client:
        server.settimeout(PATIENCE_SECONDS)
        with pytest.raises(BrokenPipeError):
            sent(answer, Pace(0.05, 1), server)


def test_an_answer_that_is_read_comes_whole() -> None:
    server, client = socket.socketpair()
    with server, client, client.makefile("rb") as received:
        reading = threading.Thread(target=sent, args=([b"some", b"thing"], FAST, server))
        reading.start()
        assert received.read((1 << 23) + 9)[-9:] == b"something"
        reading.join()
