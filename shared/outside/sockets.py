"""Connections that end at a deadline, whatever the other side does."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Protocol

from shared.errors import ProcessorFailed

#: Longest wait for a connection; a step has longer than that for its work.
CONNECT_SECONDS = 20


class Address(NamedTuple):
    """A host and port; or a path of a Unix socket, without a port."""

    host: str
    port: int


class Limit(Protocol):
    """A deadline on the clock of `time.monotonic`, and the error that is raised after it."""

    @property
    def deadline(self) -> float: ...
    def left(self) -> float:
        """Seconds until the deadline. Raises the error after it."""

    def exceeded(self, limit: str) -> Exception:
        """The error; of steps, with the verdict at this limit."""


@contextmanager
def connected(address: Address, reach: Limit) -> Iterator[socket.socket]:
    """A connection to this address, closed at the end. Raises `OSError` in vain.

    At the deadline it is shut down: every call on it then fails or finds its end, and the error is that of `limit_time`. A timeout
    of each call would not do: a byte now and then would begin it anew.
    """
    connection = _connect(address, min(reach.left(), CONNECT_SECONDS))
    # A copy of the descriptor: TLS takes the connection over, and its shutdown would wait for the other side.
    guard = connection.dup()
    watch = threading.Timer(reach.left(), _shut, [guard])
    watch.daemon = True
    watch.start()
    try:
        connection.settimeout(None)
        yield connection
    except Exception as error:
        if time.monotonic() >= reach.deadline:
            raise reach.exceeded("limit_time") from error
        raise
    finally:
        watch.cancel()
        watch.join()
        guard.close()
        connection.close()


def _connect(address: Address, seconds: float) -> socket.socket:
    if address.port:
        connection = socket.create_connection(address, seconds)
        try:
            _refuse_metadata(connection)
        except ProcessorFailed:
            connection.close()
            raise
        return connection
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(address.host)
    except OSError:
        connection.close()
        raise
    return connection


def _refuse_metadata(connection: socket.socket) -> None:
    """Refuse link-local addresses: the metadata server gives tokens of the service's account."""
    peer = ipaddress.ip_address(str(connection.getpeername()[0]).partition("%")[0])
    plain = getattr(peer, "ipv4_mapped", None) or peer
    if plain.is_link_local:
        raise ProcessorFailed(f"the address {plain} is link-local, where the metadata server is; name another host")


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
