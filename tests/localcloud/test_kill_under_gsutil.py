"""`kill -9` while gsutil uploads a large file and many small ones: all arrive whole, and the large one resumes."""

import base64
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import google_crc32c
import pytest
import requests

from tests.eventually import eventually
from tests.machine import Machine, running
from tests.preloaded import preloaded

SEED = 4
MEGABYTE = 1 << 20
LARGE, SMALL_FILES = 200 * MEGABYTE, 60
#: Range of the large file's megabytes that have arrived at each kill; the number is random.
KILLS = ((5, 20), (35, 60), (80, 100))
#: gsutil resumes within one run after a short outage; after a longer one a new run resumes.
RUNS = 10
PATIENCE = ("-o", "Boto:max_retry_delay=1", "-o", "Boto:num_retries=5")


@pytest.mark.long
def test_what_gsutil_uploads_arrives_however_often_the_cloud_is_killed(tmp_path: Path, program: Callable[[str], str]) -> None:
    chance, sums = Random(SEED), _files(tmp_path / "files")
    with (
        running(Machine(tmp_path / "data", cloud_only=True)) as machine,
        preloaded(program("gsutil"), machine.environment) as environment,
        ThreadPoolExecutor(2) as pool,
    ):
        api = f"{machine.environment['STORAGE_EMULATOR_HOST']}/storage/v1/b"
        requests.post(api, json={"name": "load"}, timeout=60).raise_for_status()
        for command in (("cp", "files/large"), ("-m", "cp", "-r", "files/small")):
            pool.submit(_until_done, tmp_path, environment, *command, "gs://load/")
        contents: set[Path] = set()
        for between in KILLS:
            enough = chance.randint(*between) * MEGABYTE
            contents |= eventually(lambda enough=enough: _larger(machine, enough), pause_seconds=0.005)  # type: ignore[misc]
            machine.kill()
            assert [path for path in contents if path.stat().st_size >= LARGE] == []
            machine.start()

        eventually(lambda: _stored(api) == sums, seconds=300, pause_seconds=0.2)
        assert len(contents) == 1


def _files(folder: Path) -> dict[str, str]:
    """Make the files to upload; gives the checksums of their objects by name."""
    files = {"large": bytes(LARGE)} | {f"small/{number}": b"%d" % number * 100 for number in range(SMALL_FILES)}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return {name: base64.b64encode(google_crc32c.Checksum(data).digest()).decode() for name, data in files.items()}


def _until_done(folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
    for _ in range(RUNS):
        command = ("gsutil", *PATIENCE, *arguments)
        if not subprocess.run(command, env=environment, cwd=folder, capture_output=True, timeout=300, check=False).returncode:
            return


def _larger(machine: Machine, size: int) -> set[Path]:
    """The stored contents larger than this."""
    contents = (machine.data / "storage" / "contents").glob("??/*")
    return {path for path in contents if path.stat().st_size > size}


def _stored(api: str) -> dict[str, str]:
    items = requests.get(f"{api}/load/o", timeout=60).json().get("items", [])
    return {item["name"]: item["crc32c"] for item in items}
