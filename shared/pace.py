"""The pace of bodies and answers: a client holds a thread while bytes come and go fast, for a limited time.

A thread that waits for bytes cannot look at a clock, so another one does: `Watchdog` closes the receiving side of the connection,
and the read returns. On Cloud Run, Google's front end waits for the headers of a request before an instance sees it.
"""

import contextlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from shared.errors import BodyCutShort, BodyTooSlow

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: How long a body may take before its bytes per second count.
GRACE_SECONDS = 10.0
#: Size of the first read. A read returns when it is complete, so a larger one would hide how slow its bytes come.
FIRST_BYTES = 16 << 10
#: Longest time for the rest of a body after the answer, and the size of each read.
LINGER_SECONDS = 10.0
LINGER_BYTES = 1 << 16


class Source(Protocol):
    """The server's own body."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """The longest time that a body may take, and its least bytes per second."""

    seconds: float
    bytes_per_second: float
    grace_seconds: float = GRACE_SECONDS

    def allowed(self, size: int) -> float:
        """Seconds for this many bytes."""
        return min(self.seconds, self.grace_seconds + size / self.bytes_per_second)


class Watchdog:
    """Calls what is late, in one thread for all; the thread starts with the first watch."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, seconds: float, late: Callable[[], None]) -> Iterator[None]:
        """Call `late` if the block takes longer than this."""
        watch, deadline = object(), time.monotonic() + seconds
        with self._changed:
            self._watches[watch] = deadline, late
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            if deadline < self._wakes:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._watches.pop(watch, None)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for watch in [watch for watch, (deadline, _) in self._watches.items() if deadline <= now]:
                    _, late = self._watches.pop(watch)
                    late()
                self._wakes = min((deadline for deadline, _ in self._watches.values()), default=float("inf"))
                self._changed.wait(min(self._wakes - now, threading.TIMEOUT_MAX))


WATCHDOG = Watchdog()


class Body(io.RawIOBase):
    """The body of a request, as `wsgi.input`. `stop` makes a read that waits return; the test client has none.

    A read raises `BodyTooSlow`, and `BodyCutShort` where the body breaks off or its chunks are malformed: gunicorn ends a body
    that breaks off as if it were complete. `length` is None for a chunked body.
    """

    def __init__(self, source: Source, length: int | None, pace: Pace, stop: Callable[[], None] | None) -> None:
        self._source, self._length, self._pace, self._stop = source, length, pace, stop
        self._received = 0
        self._waited = 0.0
        self._has_ended = length == 0
        self.is_late = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._block(min(len(buffer), max(FIRST_BYTES, self._received)))
        buffer[: len(block)] = block
        return len(block)

    def linger(self) -> None:
        """Read the rest, for a while: many clients read no answer before they have sent all (RFC 9112 §9.6)."""
        with suppress(Exception), self._watched(min(LINGER_SECONDS, self._pace.seconds)):
            while not self._has_ended and not self.is_late:
                self._take(LINGER_BYTES)

    def _block(self, size: int) -> bytes:
        if self.is_late:
            raise self._too_slow()
        if self._has_ended or not size:
            return b""
        begun = time.monotonic()
        try:
            with self._watched(self._pace.allowed(self._received + size) - self._waited):
                block = self._take(size)
        except Exception:  # each server raises exceptions of its own for a malformed chunked body
            block = b""
            if not self.is_late:
                raise _cut_short("the body ended early, or its chunks are malformed") from None
        self._waited += time.monotonic() - begun
        if self.is_late:
            raise self._too_slow()
        if not block and self._received < (self._length or 0):
            raise _cut_short(f"the body ended {(self._length or 0) - self._received} bytes before its Content-Length")
        return block

    def _take(self, size: int) -> bytes:
        block = self._source.read(size)
        self._received += len(block)
        self._has_ended = not block or self._received == self._length
        return block

    def _watched(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        return WATCHDOG.watching(seconds, self._end) if self._stop else contextlib.nullcontext()

    def _end(self) -> None:
        self.is_late = True
        if self._stop:
            self._stop()

    def _too_slow(self) -> BodyTooSlow:
        pace = self._pace
        return BodyTooSlow(
            f"the body came too slowly: {self._received} bytes in {self._waited:.0f} seconds; after {pace.grace_seconds:.0f} "
            f"seconds, send at least {pace.bytes_per_second:.0f} bytes a second, and the whole within {pace.seconds:.0f} seconds"
        )


def _cut_short(fault: str) -> BodyCutShort:
    return BodyCutShort(f"{fault}; nothing was stored, send it again")


def _length(environ: "WSGIEnvironment") -> int | None:
    """The length of the body; None for a chunked one."""
    given = environ.get("CONTENT_LENGTH") or ""
    return int(given) if given.isdecimal() else None if environ.get("HTTP_TRANSFER_ENCODING") else 0


class Paced:
    """A WSGI application whose requests have a `Body`. gunicorn ends the connection of one that came too slowly."""

    def __init__(self, application: "WSGIApplication", pace: Pace) -> None:
        self._application, self._pace = application, pace

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
        body = Body(environ["wsgi.input"], _length(environ), self._pace, _closing(environ, socket.SHUT_RD))
        drop = _closing(environ, socket.SHUT_RDWR)
        environ["wsgi.input"] = body

        def start(*arguments: Any) -> Any:
            # gunicorn drops an application's own `Connection: close`; this is how its workers say it.
            close = getattr(getattr(start_response, "__self__", None), "force_close", None)
            if body.is_late and close:
                close()
            return start_response(*arguments)

        answer: Iterable[bytes] = self._application(environ, start)
        try:
            for piece in chain(answer, [b""]):  # the empty one sends the headers of an answer without a body
                # A piece is sent while this waits; gunicorn would wait for ever for a client that reads nothing.
                with WATCHDOG.watching(self._pace.allowed(len(piece)), drop) if drop else contextlib.nullcontext():
                    yield piece
        finally:
            if hasattr(answer, "close"):
                answer.close()
        body.linger()


def _closing(environ: "WSGIEnvironment", how: int) -> Callable[[], None] | None:
    """Close the receiving side of gunicorn's socket, or both: a call that waits for the client then returns."""
    connection = environ.get("gunicorn.socket")
    if connection is None:
        return None

    def close() -> None:
        with suppress(OSError):
            connection.shutdown(how)

    return close
