"""A client of clamd: its version, and a scan of a file that is streamed to it. Source: man clamd, COMMANDS."""

import select
import socket
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from shared.errors import BadFile, ProcessorFailed, Unavailable
from shared.outside.reach import Reach
from shared.outside.sockets import Address, connected

BLOCK_BYTES = 64 << 10
#: An answer is a line: the name of a signature, or an error.
MAX_ANSWER_BYTES = 4 << 10
#: clamd answers at once, also while it scans or loads signatures.
VERSION_SECONDS = 20


def version(address: Address, reach: Reach) -> str:
    """Engine and signatures, such as `ClamAV 1.4.3/27812/Fri Nov 27 09:25:00 2026`. Raises `Unavailable`."""
    soon = replace(reach, deadline=min(reach.deadline, time.monotonic() + VERSION_SECONDS))
    try:
        with connected(address, soon) as connection:
            connection.sendall(b"zVERSION\0")
            answer = _answer(connection)
    except OSError as error:
        raise _down(address, error) from error
    except BadFile as error:  # it has not seen the file yet: no fault of that
        raise Unavailable(f"clamd at {_name(address)} does not answer; look at its log") from error
    if not answer.startswith("ClamAV"):
        raise Unavailable(f"{_name(address)} answers {answer[:100]!r} where clamd names its version; check SLUICE_CLAMD")
    return answer


def scan(source: Path, address: Address, reach: Reach) -> str:
    """The answer to the file: `stream: OK`, `stream: NAME FOUND` or an error. Raises `Unavailable` without clamd.

    A clamd that ends in the middle may have been killed by this file: that is a `ProcessorFailed`, which costs an attempt.
    """
    try:
        with connected(address, reach) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it refuses the rest; its answer says why
                _send(source, connection)
            answer = _answer(connection, during_scan=True)
    except OSError as error:
        raise _down(address, error) from error
    reach.left()
    return answer


def _send(source: Path, connection: socket.socket) -> None:
    connection.sendall(b"zINSTREAM\0")
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    with source.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            if poll.poll(0):
                return  # an answer before the end refuses the rest
            connection.sendall(len(block).to_bytes(4, "big") + block)
    connection.sendall(bytes(4))


def _answer(connection: socket.socket, *, during_scan: bool = False) -> str:
    held = b""
    try:
        while b"\0" not in held and len(held) < MAX_ANSWER_BYTES and (block := connection.recv(MAX_ANSWER_BYTES)):
            held += block
    except ConnectionResetError:
        held = b""
    line, end, _ = held.partition(b"\0")
    if end:
        return "".join(each if each.isprintable() else " " for each in line.decode(errors="replace")).strip()
    problem = "clamd ended the connection without an answer"
    raise ProcessorFailed(f"{problem}; see its log") if during_scan else ConnectionError(problem)


def _name(address: Address) -> str:
    return f"{address.host}:{address.port}" if address.port else f"unix:{address.host}"


def _down(address: Address, error: OSError) -> Unavailable:
    why = error.strerror or type(error).__name__
    return Unavailable(f"clamd at {_name(address)} is not reached ({why}); start it, or correct SLUICE_CLAMD")
