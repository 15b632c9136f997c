"""A task gets exactly the bytes of its file, or a reason."""

import gzip
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared import source
from shared.errors import BadFile, Unavailable, Vanished
from shared.model import File
from shared.testing import FakeCloud

TEXT = b"the quick brown fox\n" * 1000
Uploaded = Callable[..., File]


def fetch(file: File, path: Path, cloud: FakeCloud) -> None:
    """Download as a delivery does, which holds memory for the file."""
    with cloud.sandbox.reserved(file.size) as memory:
        source.fetch(file, path, cloud, memory)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.fixture
def encoded(cloud: FakeCloud, uploaded: Uploaded) -> Callable[..., File]:
    def put(data: bytes, encoding: str = "gzip") -> File:
        cloud.uploads.encodings["fox.txt"] = encoding
        return uploaded("fox.txt", data, "text/plain")

    return put


@pytest.mark.parametrize("data", [b"", b"x", TEXT])
def test_a_file_arrives_as_it_was_stored(cloud: FakeCloud, uploaded: Uploaded, path: Path, data: bytes) -> None:
    fetch(uploaded("fox.txt", data), path, cloud)

    assert path.read_bytes() == data


def test_a_gzip_file_without_an_encoding_is_left_alone(cloud: FakeCloud, uploaded: Uploaded, path: Path) -> None:
    packed = gzip.compress(TEXT)

    fetch(uploaded("fox.txt.gz", packed), path, cloud)

    assert path.read_bytes() == packed


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_file_without_an_encoding_is_left_alone(cloud: FakeCloud, encoded: Uploaded, path: Path, encoding: str) -> None:
    fetch(encoded(TEXT, encoding), path, cloud)

    assert path.read_bytes() == TEXT


@pytest.mark.failure("T46")
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_is_undone(cloud: FakeCloud, encoded: Uploaded, path: Path, encoding: str) -> None:
    fetch(encoded(gzip.compress(TEXT), encoding), path, cloud)

    assert path.read_bytes() == TEXT


def test_gzip_of_several_parts_is_one_file(cloud: FakeCloud, encoded: Uploaded, path: Path) -> None:
    fetch(encoded(gzip.compress(b"one ") + gzip.compress(b"two")), path, cloud)

    assert path.read_bytes() == b"one two"


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        b"\x1f\x8b",
        gzip.compress(TEXT, mtime=0)[:10] + b"\xff" * 50,  # a header, then no deflate stream
        gzip.compress(TEXT, mtime=0)[:-1],
        gzip.compress(TEXT, mtime=0)[:40],
        gzip.compress(TEXT, mtime=0)[:-8] + b"\0" * 8,
        b"\x1f\x8b\x08" + b"\xff" * 99,
    ],
    ids=["plain", "two bytes", "no stream", "without its end", "cut short", "wrong checksum", "garbage"],
)
def test_invalid_gzip_is_the_files_fault(cloud: FakeCloud, encoded: Uploaded, path: Path, data: bytes) -> None:
    with pytest.raises(BadFile, match="Content-Encoding says gzip") as refused:
        fetch(encoded(data), path, cloud)

    assert refused.value.code == "corrupt"


@pytest.mark.failure("T46")
@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "aws-chunked"])
def test_an_unsupported_encoding_is_named(cloud: FakeCloud, encoded: Uploaded, path: Path, encoding: str) -> None:
    with pytest.raises(BadFile, match=f"its Content-Encoding is {encoding};") as refused:
        fetch(encoded(TEXT, encoding), path, cloud)

    assert refused.value.code == "unsupported_encoding"


@pytest.fixture
def narrow(cloud: FakeCloud) -> FakeCloud:
    """The limit is a million bytes."""
    cloud.settings = replace(cloud.settings, max_file_bytes=1_000_000)
    return cloud


def test_a_file_may_unpack_to_exactly_the_limit(narrow: FakeCloud, encoded: Uploaded, path: Path) -> None:
    fetch(encoded(gzip.compress(b"a" * 1_000_000)), path, narrow)

    assert path.stat().st_size == 1_000_000


@pytest.mark.failure("T46")
def test_a_bomb_is_stopped_at_the_limit_on_disk_and_in_memory(narrow: FakeCloud, encoded: Uploaded, path: Path) -> None:
    bomb = encoded(gzip.compress(bytes(200_000_000), compresslevel=1))

    tracemalloc.start()
    with pytest.raises(BadFile, match="more than 1000000 bytes when unpacked") as refused:
        fetch(bomb, path, narrow)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert refused.value.code == "too_large"
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 3_000_000
    assert peak_bytes < 8_000_000


def test_an_overwritten_file_is_superseded(cloud: FakeCloud, uploaded: Uploaded, path: Path) -> None:
    old = uploaded("fox.txt", b"old")
    new = uploaded("fox.txt", b"new")

    with pytest.raises(Vanished, match=f"overwritten by generation {new.generation}") as vanished:
        fetch(old, path, cloud)
    assert vanished.value.code == "superseded"


def test_a_deleted_file_is_gone(cloud: FakeCloud, uploaded: Uploaded, path: Path) -> None:
    file = uploaded("fox.txt", b"old")
    cloud.uploads.versions.clear()

    with pytest.raises(Vanished) as vanished:
        fetch(file, path, cloud)
    assert vanished.value.code == "gone"


def test_a_generation_later_than_the_live_one_is_gone_not_superseded(cloud: FakeCloud, uploaded: Uploaded, path: Path) -> None:
    live = uploaded("fox.txt", b"old")

    with pytest.raises(Vanished) as vanished:
        fetch(replace(live, generation=live.generation + 1), path, cloud)
    assert vanished.value.code == "gone"


@pytest.mark.parametrize("call", ["download", "find"])
def test_an_outage_is_not_a_deletion(cloud: FakeCloud, uploaded: Uploaded, path: Path, call: str) -> None:
    file = uploaded("fox.txt", b"old")
    if call == "find":
        cloud.uploads.versions.clear()
    cloud.uploads.broken = {call}

    with pytest.raises(Unavailable):
        fetch(file, path, cloud)
