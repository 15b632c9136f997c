"""`any.scan`: only one answer of clamd means clean, and an outage is never a verdict."""

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shared import processors
from shared.errors import BadConfiguration, BadFile, ProcessorFailed, Unavailable
from shared.outside.reach import Reach
from shared.outside.sockets import Address
from shared.processors import Made, any_scan
from tests.unit.outside.services import Server, Talk, serving, written

VERSION = b"ClamAV 1.4.3/27812/Fri Nov 27 09:25:00 2026\0"


def told(connection: socket.socket) -> None:
    """Clamd's answer to VERSION."""
    connection.recv(64)
    connection.sendall(VERSION)


def scanning(answer: bytes) -> Talk:
    """A clamd that reads the whole stream, then answers so."""

    def talk(connection: socket.socket) -> None:
        held = b""
        while not held.endswith(bytes(4)) and (block := connection.recv(65536)):
            held += block
        connection.sendall(answer)

    return talk


def scan(server: Server, folder: Path, data: bytes = b"text", reach: Reach | None = None) -> Made:
    return processors.find("any.scan").run(written(folder, data), folder, {}, reach=reach or server.reach)


def test_a_clean_file_has_facts_of_the_scanner(tmp_path: Path) -> None:
    with serving(told, scanning(b"stream: OK\0")) as clamd:
        made = scan(clamd, tmp_path)

    assert made.facts == {"clean": True, "engine": "1.4.3", "signatures": 27812, "signatures_at": "2026-11-27T09:25:00Z"}
    assert clamd.received == [b"zVERSION\0", b"zINSTREAM\0\0\0\0\4text\0\0\0\0"]


def test_a_large_file_is_streamed_in_blocks_of_64_kib(tmp_path: Path) -> None:
    with serving(told, scanning(b"stream: OK\0")) as clamd:
        scan(clamd, tmp_path, b"x" * 65537)

    assert clamd.received[1] == b"zINSTREAM\0\0\1\0\0" + b"x" * 65536 + b"\0\0\0\1x\0\0\0\0"


@pytest.mark.parametrize(
    ("answer", "reason", "part"),
    [
        (b"stream: Eicar-Test FOUND\0", "infected", "clamd found Eicar-Test"),
        (b"stream: stream: OK FOUND\0", "infected", "clamd found stream: OK"),
        (b"stream: a\x1b[31m\xff FOUND\0", "infected", "clamd found a [31m\N{REPLACEMENT CHARACTER}"),
        (b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", "not_scanned", "raise the limits in clamd.conf"),
        (b"INSTREAM size limit exceeded. ERROR\0", "not_scanned", "raise the limits in clamd.conf"),
    ],
)
def test_what_clamd_finds_is_the_file_s_fault(answer: bytes, reason: str, part: str, tmp_path: Path) -> None:
    with serving(told, scanning(answer)) as clamd, pytest.raises(BadFile) as refused:
        scan(clamd, tmp_path)

    assert (refused.value.code, part in refused.value.message) == (reason, True)


@pytest.mark.parametrize(
    "answer", [b"stream: OK", b"", b"OK\0", b"stream: Can't allocate memory ERROR\0", b"\0", b"stream: OK \n\0x"[:3]]
)
def test_any_other_answer_to_the_file_costs_an_attempt_and_is_never_clean(answer: bytes, tmp_path: Path) -> None:
    with serving(told, scanning(answer)) as clamd, pytest.raises(ProcessorFailed):
        scan(clamd, tmp_path)


def test_a_clamd_that_refuses_the_rest_of_a_stream_is_heard(tmp_path: Path) -> None:
    def refusing(connection: socket.socket) -> None:
        connection.recv(64)
        connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")

    with serving(told, refusing) as clamd, pytest.raises(BadFile, match="size limit") as refused:
        scan(clamd, tmp_path, bytes(20 << 20))

    assert refused.value.code == "not_scanned"


def test_without_clamd_the_step_waits(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    reach = Reach(Address("127.0.0.1", port))

    with pytest.raises(Unavailable, match=f"clamd at 127.0.0.1:{port} is not reached"):
        scan(Server(port), tmp_path, reach=reach)


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 400 Bad Request\0", b"UNKNOWN COMMAND\0"])
def test_another_service_in_clamd_s_place_is_an_outage(first: bytes, tmp_path: Path) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(64)
        connection.sendall(first)

    with serving(talk) as clamd, pytest.raises(Unavailable):
        scan(clamd, tmp_path)


def test_a_scan_ends_at_the_step_s_limit_of_time(tmp_path: Path) -> None:
    def trickling(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(b" ")

    with serving(told, trickling) as clamd:
        soon = replace(clamd.reach, limits=replace(clamd.reach.limits, seconds=1), deadline=time.monotonic() + 0.5)
        with pytest.raises(BadFile) as late:
            scan(clamd, tmp_path, reach=soon)

    assert (late.value.code, late.value.message) == ("limit_time", "it took more than 1 s, the limit")


def test_a_pool_that_scans_does_not_start_without_clamd() -> None:
    processor = processors.find("any.scan")
    assert processor.outside

    with pytest.raises(BadConfiguration, match="set SLUICE_CLAMD"):
        processor.outside(any_scan.Scan(), Reach())


@pytest.mark.parametrize(
    ("version", "facts"),
    [
        ("ClamAV 1.4.3", {"engine": "1.4.3"}),
        ("ClamAV 1.4.3/27812", {"engine": "1.4.3", "signatures": 27812}),
        ("ClamAV 1.4.3/x/y", {"engine": "1.4.3"}),
        (
            "ClamAV 0.103/1/Sat Nov  7 09:25:00 2026",
            {"engine": "0.103", "signatures": 1, "signatures_at": "2026-11-07T09:25:00Z"},
        ),
    ],
)
def test_versions_are_facts_where_clamd_states_them(version: str, facts: dict[str, object]) -> None:
    assert any_scan.facts(version) == facts
