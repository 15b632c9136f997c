"""`any.scan` with Debian's clamd, and one signature of our own."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared import processors
from shared.errors import BadFile, Unavailable
from shared.outside.reach import Address, Reach
from shared.processors import Made
from tests.eventually import eventually
from tests.ports import free_port

#: The EICAR text in two halves, so that no scanner finds it in this file.
TEXT = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
CONFIGURATION = """
Foreground yes
DatabaseDirectory {folder}/signatures
TemporaryDirectory {folder}
TCPSocket {port}
TCPAddr 127.0.0.1
LocalSocket {folder}/clamd
StreamMaxLength 2M
MaxFileSize 1M
MaxScanSize 1M
AlertExceedsMax yes
"""


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], tuple[Path, int]]]:
    """Start it on first use; its folder and port. A program that is missing is found by the test's own fixture."""
    folder, started = tmp_path_factory.mktemp("clamd"), list[subprocess.Popen[bytes]]()
    port = free_port()

    def start() -> tuple[Path, int]:
        if not started:
            (folder / "signatures").mkdir()
            (folder / "signatures" / "test.ndb").write_text(f"Sluice-Test:0:*:{TEXT.hex()}\n")
            (folder / "clamd.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
            with (folder / "log").open("wb") as log:
                command = ["clamd", "--config-file", str(folder / "clamd.conf")]
                started.append(subprocess.Popen(command, stdout=log, stderr=log))
            eventually(lambda: _listens(port), "clamd's port", seconds=60)
        return folder, port

    yield start
    for one in started:
        one.kill()
        one.wait()


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def scan(program: Callable[[str], str], clamd: Callable[[], tuple[Path, int]], tmp_path: Path) -> Callable[..., Made]:
    """Scan bytes, through the port or the Unix socket."""
    program("clamd")
    folder, port = clamd()

    def scanned(data: bytes, *, by_path: bool = False) -> Made:
        source = tmp_path / "source"
        source.write_bytes(data)
        address = Address(f"{folder}/clamd", 0) if by_path else Address("127.0.0.1", port)
        return processors.find("any.scan").run(source, tmp_path, {}, reach=Reach(address, deadline=time.monotonic() + 60))

    return scanned


@pytest.mark.parametrize("by_path", [False, True], ids=["by port", "by path"])
def test_a_clean_file_is_clean(scan: Callable[..., Made], by_path: bool) -> None:
    made = scan(b"harmless", by_path=by_path)

    assert made.facts["clean"] is True
    assert made.facts["engine"][0].isdigit()


def test_an_infected_file_fails_with_the_name_of_the_signature(scan: Callable[..., Made]) -> None:
    with pytest.raises(BadFile) as refused:
        scan(TEXT)

    assert (refused.value.code, refused.value.message) == ("infected", "clamd found Sluice-Test.UNOFFICIAL")


@pytest.mark.parametrize("size", [1_500_000, 20_000_000], ids=["above MaxFileSize", "above StreamMaxLength"])
def test_a_file_beyond_a_limit_of_clamd_is_not_called_clean(scan: Callable[..., Made], size: int) -> None:
    with pytest.raises(BadFile) as refused:
        scan(b"x" * size)

    assert refused.value.code == "not_scanned"


def test_no_clamd_at_a_path_is_an_outage(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"harmless")

    with pytest.raises(Unavailable, match="is not reached"):
        processors.find("any.scan").run(source, tmp_path, {}, reach=Reach(Address(f"{tmp_path}/none", 0)))
