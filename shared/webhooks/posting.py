"""One POST to a receiver: to a public address, within 15 seconds. No redirects, no proxies."""

import http.client
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared import origins
from shared.outside import clients
from shared.outside.sockets import Address, connected
from shared.webhooks import addresses
from shared.webhooks.addresses import Refused, Resolve

#: For all of it: the name, the connection, the request, and the head of the answer.
SECONDS = 15
#: Longest pause that a receiver may ask for.
MAX_PAUSE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a receiver, with its Retry-After in seconds as `pause`, or 0.

    Status 0 means that there was none. `words` say why, or what it answered, for operators.
    """

    status: int
    words: str
    pause: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """A deadline on the clock of `time.monotonic`, as connections take it."""

    deadline: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def left(self) -> float:
        """Seconds until the deadline. Raises `TimeoutError` after it."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise self.exceeded("")
        return seconds

    def exceeded(self, _limit: str) -> TimeoutError:
        """The error at the deadline."""
        return TimeoutError(0, f"no answer within {SECONDS} seconds")


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    patience: Patience,
    *,
    loopback: bool,
    resolve: Resolve = addresses.resolve,
) -> Answer:
    """Post this, and read the beginning of the answer. Never raises: what is no answer has status 0."""
    origin = origins.of(url)
    try:
        ip = addresses.checked(origin, patience.left(), loopback=loopback, resolve=resolve)
        with (
            connected(Address(ip, origin.port), patience) as connection,
            closing(clients.client(connection, origin)) as client,
        ):
            _send(client, url, body, headers)
            return _answer(client.getresponse(), patience)
    except Refused as error:
        return Answer(0, str(error))
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a malformed chunk
        return Answer(0, f"{origin} is not reached, or broke off: {clients.cause(error)}")


def _send(client: http.client.HTTPConnection, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before the end, such as 413
        client.request("POST", target, body, {"User-Agent": "sluice", "Connection": "close", **headers})


def _answer(response: http.client.HTTPResponse, patience: Patience) -> Answer:
    patience.left()  # `http.client` takes headers that were shut off at the deadline for whole ones
    status = response.status
    if 200 <= status < 300:
        return Answer(status, f"answered {status}")
    if 300 <= status < 400:
        return Answer(status, f"answered {status}, a redirect, which is not followed; write the final address into `url`")
    said = clients.shown(response.read(clients.MAX_READ_BYTES))
    patience.left()
    words = f"answered {status}: {said}" if said else f"answered {status}"
    return Answer(status, words, _pause(response.headers.get("Retry-After", "")) if status in (429, 503) else 0)


def _pause(text: str) -> int:
    """Seconds of a Retry-After in seconds; a date is not heeded: the backoff is there all the same."""
    text = text.strip()
    return min(int(text), MAX_PAUSE_SECONDS) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
