"""Uploads and downloads of 100 megabytes stream: the service's memory does not grow."""

import http.client
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.eventually import eventually
from tests.localcloud.storage.clients import MEGABYTE
from tests.localcloud.storage.test_storage_restart import ROOT
from tests.localcloud.storage.test_storage_semantics import answers
from tests.ports import free_port

SIZE = 100 * MEGABYTE
MOST_GROWTH = 20 * MEGABYTE
ZEROS = bytes(MEGABYTE)

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says in /proc what a process holds")


class Served:
    """The service in its own process, warmed up by a small upload."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.base = f"http://127.0.0.1:{port}"
        self._port = port
        eventually(lambda: answers(port))
        requests.post(f"{self.base}/storage/v1/b", json={"name": "bucket"}, timeout=60)
        requests.put(f"{self.base}/bucket/small", data=ZEROS, timeout=60)

    def peak_bytes(self) -> int:
        """The peak of its resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

    def send(self, path: str, **headers: str) -> int:
        """PUT `SIZE` bytes of zeros. Returns the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.putrequest("PUT", path)
        for name, value in {"Content-Length": str(SIZE), **headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        for _ in range(SIZE // MEGABYTE):
            connection.send(ZEROS)
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, "-m", "tests.localcloud.storage.serve", str(tmp_path), str(port)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield Served(process.pid, port)
        finally:
            process.kill()
    shutil.rmtree(tmp_path / "storage" / "contents")  # pytest would keep it for three runs


def test_a_large_upload_and_its_download_need_no_memory(served: Served) -> None:
    before = served.peak_bytes()

    up = served.send("/bucket/large")
    with requests.get(f"{served.base}/bucket/large", stream=True, timeout=60) as reply:
        down = sum(len(chunk) for chunk in reply.iter_content(MEGABYTE))

    assert (up, down) == (200, SIZE)
    assert served.peak_bytes() - before <= MOST_GROWTH


def test_a_large_resumable_upload_needs_no_memory(served: Served) -> None:
    before = served.peak_bytes()
    url = f"{served.base}/upload/storage/v1/b/bucket/o?uploadType=resumable&name=large"
    location = urlsplit(requests.post(url, timeout=60).headers["Location"])

    status = served.send(f"{location.path}?{location.query}", **{"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"})

    assert status == 200
    assert served.peak_bytes() - before <= MOST_GROWTH
