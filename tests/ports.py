"""Free ports, each given once: tests that run side by side never get the same one.

A port that the system reports as free may be taken a moment later, by another worker or as the near end of an outgoing
connection. So each process claims a band of ports below those of outgoing connections.
"""

import socket
from collections.abc import Callable
from functools import cache

FIRST, LAST = 10_000, 32_000
BAND = 2_200  # a stack's ports lie 1,400 apart
_claims: list[socket.socket] = []  # open as long as the process


def free_port() -> int:
    """A free port, reserved for the caller."""
    left = _ports_left()
    port = next(port for port in sorted(left) if is_free(port))
    left.remove(port)
    return port


def free_offset(ports_at: Callable[[int], set[int]]) -> int:
    """The smallest offset at which all of a stack's ports are free; they are reserved for the caller."""
    left = _ports_left()
    offsets = range(min(left) - min(ports_at(0)), max(left) - max(ports_at(0)) + 1)
    offset = next(offset for offset in offsets if ports_at(offset) <= left and all(map(is_free, ports_at(offset))))
    left -= ports_at(offset)
    return offset


def is_free(port: int) -> bool:
    """Whether the port can be opened now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """Whether a server accepts connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@cache
def _ports_left() -> set[int]:
    """The ports of this process's band that are not reserved. Its first port stays bound, which claims the band."""
    for first in range(FIRST, LAST, BAND):
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
        else:
            _claims.append(claim)
            return set(range(first + 1, first + BAND))
    raise RuntimeError(
        f"{(LAST - FIRST) // BAND} test processes run already, and each needs ports of its own; wait for one to end"
    )
