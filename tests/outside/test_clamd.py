"""`any.scan` with Debian's clamd, and one signature of our own."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared import processors
from shared.errors import BadFile, Unavailable
from shared.outside.reach import Reach
from shared.outside.sockets import Address
from shared.processors import Made
from tests.clamd import INFECTED, listening
from tests.ports import free_port


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], tuple[Path, int]]]:
    """Start it on first use; its folder and port. A program that is missing is found by the test's own fixture."""
    folder, port = tmp_path_factory.mktemp("clamd"), free_port()
    with ExitStack() as started:

        @functools.cache
        def start() -> tuple[Path, int]:
            started.enter_context(listening(folder, port))
            return folder, port

        yield start


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
        scan(INFECTED)

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
