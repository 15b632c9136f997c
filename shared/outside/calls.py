"""One HTTP request to a service, and what its status means. No redirects, no proxies."""

import http.client
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared import origins
from shared.errors import ProcessorFailed
from shared.outside import bodies, clients
from shared.outside.reach import Reach
from shared.outside.sockets import Address, connected
from shared.processors.service_options import Call

BLOCK_BYTES = 64 << 10
NO_CONTENT, REFUSED = 204, 422


class Refused(Exception):
    """The service answered 422: it does not take this file. The message is for its sender."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a service with a status of success; `blocks` may be read once, before the connection ends."""

    status: int
    content_type: str
    blocks: Iterator[bytes]


@contextmanager
def answered(source: Path, options: Call, reach: Reach) -> Iterator[Answer]:
    """Send the file, and give the answer while the connection lasts.

    Raises `Refused` for status 422; `BadFile` at a limit; `ProcessorFailed`, which costs an attempt, for other statuses than
    success, and for a service that is not reached or breaks off.
    """
    headers, hidden = _headers(options, reach)
    origin = origins.of(options.url)
    try:
        with (
            connected(Address(origin.host, origin.port), reach) as connection,
            closing(clients.client(connection, origin)) as client,
            _response(client, source, options, headers) as response,
        ):
            _judge(response, hidden)
            yield Answer(response.status, response.headers.get("Content-Type", ""), _blocks(response, reach))
    except (OSError, http.client.HTTPException) as error:
        raise ProcessorFailed(f"{origin} is not reached, or broke off: {clients.cause(error)}") from error


def _headers(options: Call, reach: Reach) -> tuple[Mapping[str, str], Collection[str]]:
    """The headers of the operator and of the token, and the texts among them that no message may show.

    `http.client` adds Host, and Accept-Encoding: identity.
    """
    secrets = {name: (reach.secrets or {})[value] for name, value in (options.secret_headers or {}).items()}
    if token := reach.token(options.audience) if options.audience else "":
        secrets["Authorization"] = f"Bearer {token}"
    hidden = {part for value in secrets.values() for part in (value, value.split()[-1])}
    return {**(options.headers or {}), **secrets}, sorted(hidden, key=len, reverse=True)


def _response(
    client: http.client.HTTPConnection, source: Path, options: Call, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    parts = urlsplit(options.url)
    body = bodies.of(source, options)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Content-Length": str(body.size), "Content-Type": body.content_type, "User-Agent": "sluice", "Connection": "close"}
    try:
        client.request(options.method, target, body.blocks, {**own, **headers})
    except (BrokenPipeError, ConnectionResetError) as error:  # it may have answered before the end, such as 413
        try:
            return client.getresponse()
        except (OSError, http.client.HTTPException):
            raise error from None
    return client.getresponse()


def _judge(response: http.client.HTTPResponse, hidden: Collection[str]) -> None:
    """Return for a success. Messages show the beginning of other answers, without the values of our own headers."""
    if 200 <= response.status < 300:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ProcessorFailed("the service answered with a Content-Encoding, though identity was asked for")
        return
    came = f"the service answered {response.status}"
    if 300 <= response.status < 400:
        raise ProcessorFailed(f"{came}, a redirect, which is not followed; write the final address into `url`")
    shown = clients.shown(response.read(clients.MAX_READ_BYTES), hidden)
    message = f"{came}: {shown}" if shown else came
    raise Refused(message) if response.status == REFUSED else ProcessorFailed(message)


def _blocks(response: http.client.HTTPResponse, reach: Reach) -> Iterator[bytes]:
    """The body, whole: an answer that ends before its stated length is an error, not an answer."""
    stated, found = response.headers.get("Content-Length"), 0
    while block := response.read(BLOCK_BYTES):
        found += len(block)
        reach.left()
        yield block
    reach.left()  # an end at the deadline is ours
    if stated and not response.chunked and stated.isdecimal() and found < int(stated):
        raise http.client.IncompleteRead(b"", int(stated) - found)
