"""Acknowledged changes survive `kill -9`; unacknowledged ones leave nothing behind."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from localcloud.storage import Storage
from localcloud.storage.data.uploads import BLOCK_BYTES as BLOCK
from tests.eventually import eventually
from tests.localcloud.storage.world import TOPIC, kept_contents, send_part
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


@contextmanager
def killed_after(folder: Path, port: int) -> Iterator[str]:
    """The URL of the service in a process that is killed at the end."""
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.localcloud.storage.serve", str(folder), str(port)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            eventually(lambda: _answers(url))
            yield url
        finally:
            process.kill()


def test_everything_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    port = free_port()
    with killed_after(tmp_path, port) as url:
        requests.post(f"{url}/storage/v1/b", json={"name": "bucket"}, timeout=60)
        requests.post(f"{url}/storage/v1/b/bucket/notificationConfigs", json={"topic": TOPIC}, timeout=60)
        upload = f"{url}/upload/storage/v1/b/bucket/o"
        old = requests.post(f"{upload}?uploadType=media&name=old", data=b"1", timeout=60).json()
        requests.post(f"{upload}?uploadType=media&name=gone", data=b"1", timeout=60)
        requests.delete(f"{url}/storage/v1/b/bucket/o/gone", timeout=60)
        location = requests.post(f"{upload}?uploadType=resumable&name=half", timeout=60).headers["Location"]
        first = {"Content-Range": f"bytes 0-{BLOCK - 1}/{BLOCK + 5}"}
        requests.put(location, data=b"a" * BLOCK, headers=first, allow_redirects=False, timeout=60)
        send_part(port, "PUT", "/bucket/never", {"Content-Length": "10"}, b"hello")

    (tmp_path / "topics").touch()
    with killed_after(tmp_path, port) as url:
        assert requests.get(f"{url}/storage/v1/b/bucket/o/old", timeout=60).json() == old
        asked = requests.put(location, headers={"Content-Range": f"bytes */{BLOCK + 5}"}, allow_redirects=False, timeout=60)
        last = {"Content-Range": f"bytes {BLOCK}-{BLOCK + 4}/{BLOCK + 5}"}
        rest = requests.put(location, data=b"world", headers=last, timeout=60)
        shown = requests.get(f"{url}/storage/v1/b/bucket/o", timeout=60).json()["items"]
        published = tmp_path / "published"
        eventually(lambda: published.exists() and len(published.read_text().splitlines()) >= 4)

        assert requests.get(old["mediaLink"], timeout=60).content == b"1"
        assert asked.headers["Range"] == f"bytes=0-{BLOCK - 1}"
        assert requests.get(rest.json()["mediaLink"], timeout=60).content == b"a" * BLOCK + b"world"
        assert [item["name"] for item in shown] == ["half", "old"]
        assert int(rest.json()["generation"]) > int(old["generation"])
        assert kept_contents(tmp_path / "storage") == 2


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/storage/v1/b", timeout=60).ok
    except requests.ConnectionError:
        return False


def test_an_upload_during_the_start_keeps_its_bytes(tmp_path: Path) -> None:
    """Ports are open before `start`; an upload received by then is not a leftover of a dead process."""

    async def publish(topic: str, data: bytes, attributes: dict[str, str]) -> str:
        raise AssertionError("nothing should be published")

    async def start() -> None:
        await storage.start()
        await storage.stop()

    clock = SystemClock()
    storage = Storage(
        tmp_path / "storage", clock, Accounts(tmp_path / "keys", "local-project", "http://127.0.0.1:1", clock), publish
    )
    content = storage.store.contents.new_file()
    asyncio.run(start())

    assert Path(storage.store.contents.path(content)).exists()
