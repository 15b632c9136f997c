"""curl against both APIs."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.localcloud.storage.clients import MEGABYTE
from tests.localcloud.storage.world import World

DATA = bytes(range(256)) * 4096 * 3


@pytest.fixture
def url(world: World, bucket: str) -> str:
    """The URL of an object in one of the APIs."""
    return f"{world.url}/{bucket}/a%20file"


def curl(*arguments: str, data: bytes = b"") -> bytes:
    command = ["curl", "-sS", "--fail-with-body", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_curl_uploads_files_and_streams(world: World, bucket: str, url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)

    curl("-T", str(tmp_path / "file"), url)  # more than 1 MB: it waits for "100 Continue"
    curl("-T", "-", f"{url}-streamed", data=DATA)  # of unknown length: in chunks
    curl("--data-binary", f"@{tmp_path}/file", f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=posted")

    stored = [world.http.get(f"{world.url}/{bucket}/{name}").content for name in world.names(bucket)]
    assert world.names(bucket) == ["a file", "a file-streamed", "posted"]
    assert stored == [DATA] * 3


def test_curl_continues_a_download_and_reads_ranges(url: str, tmp_path: Path) -> None:
    curl("-T", "-", url, data=DATA)
    half = tmp_path / "half"
    half.write_bytes(DATA[:MEGABYTE])

    curl("-C", "-", "-o", str(half), url)
    head = curl("-I", url).lower()

    assert half.read_bytes() == DATA
    assert curl("-r", "10-19", url) == DATA[10:20]
    assert curl("-r", "-5", url) == DATA[-5:]
    assert b"\r\ncontent-length: %d\r\n" % len(DATA) in head


def test_curl_speaks_json(world: World, bucket: str) -> None:
    base = f"{world.url}/storage/v1/b/{bucket}/o"
    curl("-T", "-", f"{world.url}/{bucket}/x", data=b"hello")

    described = json.loads(curl("-X", "PATCH", "--json", '{"metadata": {"k": "v"}}', f"{base}/x"))
    listed = json.loads(curl(base))
    curl("-X", "POST", "-d", "", f"{base}/x/rewriteTo/b/{bucket}/o/y")
    curl("-X", "DELETE", f"{base}/x")

    assert described["metadata"] == {"k": "v"}
    assert [item["name"] for item in listed["items"]] == ["x"]
    assert (world.names(bucket), curl(f"{base}/y?alt=media")) == (["y"], b"hello")
