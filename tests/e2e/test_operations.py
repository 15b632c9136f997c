"""The operators' exercise: files fail for three reasons, and `./sluice` runs those of one reason again.

Every process is killed meanwhile. Lists, statuses and notices agree at every moment, and each file ends with the runs it was given.
`EXERCISE_FILES=500 pytest tests/e2e/test_operations.py --log-cli-level=INFO` is the long exercise.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from google.cloud.storage import Bucket, Client

from localcloud.address import PROJECT
from shared import settings as configuration
from shared.cloud import Cloud, GoogleCloud
from shared.events import JOB_FINISHED, STEP_FINISHED
from shared.operations import listing
from shared.operations.listing import Query
from shared.settings import ROOT
from tests.conftest import DATA
from tests.e2e import records
from tests.e2e.agreement import Agreement
from tests.e2e.conftest import Notices
from tests.e2e.doors import DOORS, Door, Upload, to_bucket
from tests.e2e.observer import Observer
from tests.eventually import eventually
from tests.machine import Machine, running, variables

FILES = int(os.environ.get("EXERCISE_FILES", "60")) // 3  # for each reason
FAIL_AGAIN = -(-FILES // 3)
NOTICES = 4 * FILES + 3 * 3 * FILES  # of jobs, and of the three steps where there are some
PHOTO = (DATA / "photo.jpg").read_bytes()
TRUNCATED = PHOTO[:50_000]
SERVICES = ("upload", "issuer", "dispatcher", "processor", "status")
MISTAKE = 'per_file = ["sizes"]'
SECONDS = 120 + FILES  # longest wait

#: The number of files by verdict, reason and newest run.
States = dict[tuple[str, str, int], int]
UNTOUCHED: States = {("partial", "truncated", 0): FILES, ("failed", "name_too_long", 0): FILES}
AT_FIRST: States = {**UNTOUCHED, ("partial", "bad_option", 0): FILES}
AT_LAST: States = {**UNTOUCHED, ("partial", "truncated", 1): FAIL_AGAIN, ("succeeded", "", 1): FILES - FAIL_AGAIN}
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exercise") / "pipeline.toml"
    path.write_text((Path(__file__).parent / "exercise.toml").read_text())
    return path


@pytest.fixture(autouse=True)
def _pipeline(_own_environment: None, monkeypatch: pytest.MonkeyPatch, pipeline: Path) -> None:
    """Commands, and the stack when it is started again, use this pipeline too."""
    monkeypatch.setenv("SLUICE_PIPELINE", str(pipeline))


@pytest.fixture(scope="module")
def machine(pipeline: Path) -> Iterator[Machine]:
    machine = Machine(pipeline.parent / "stack")
    with variables({"SLUICE_PIPELINE": str(pipeline)}), running(machine):
        yield machine


@pytest.fixture
def connected(machine: Machine) -> Iterator[Cloud]:
    """The cloud as the commands of `./sluice` use it."""
    with variables(machine.environment):
        yield GoogleCloud(configuration.load())


@pytest.fixture
def buckets(machine: Machine) -> dict[str, Bucket]:
    with variables(machine.environment):
        client = Client(project=PROJECT)
    return {name: client.bucket(name) for name in ("uploads", "results")}


def files() -> Iterator[tuple[Upload, Door]]:
    """The files, each with its door. A third of those with a wrong option are truncated too."""
    for number in range(FILES):
        door = DOORS[number // 3 % 3]
        yield Upload(f"corrupt-{number}.jpg", TRUNCATED), door
        yield Upload(f"option-{number}.jpg", PHOTO if number % 3 else TRUNCATED, {"sluice-icon-sizes": "huge"}), door
        yield Upload(f"too-long-{number}.jpg{'x' * 950}", PHOTO), to_bucket


def start(machine: Machine, *arguments: str, out: Any = subprocess.PIPE) -> "subprocess.Popen[str]":
    environment = {**os.environ, **machine.environment, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cli", *arguments, "--format", "ndjson"]
    return subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.PIPE, text=True)


def sluice(machine: Machine, *arguments: str) -> list[dict[str, Any]]:
    process = start(machine, *arguments)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


@contextmanager
def tail(machine: Machine, path: Path) -> Iterator[Path]:
    """The file to which `./sluice tail` prints meanwhile, from its first moment on."""
    url = f"{machine.environment['CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB']}v1/projects/{PROJECT}/subscriptions"
    before = len(requests.get(url, timeout=60).json()["subscriptions"])
    with path.open("w") as out:
        process = start(machine, "tail", "--steps", out=out)
        eventually(lambda: len(requests.get(url, timeout=60).json()["subscriptions"]) > before)
        try:
            yield path
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=SECONDS)


def kill(machine: Machine, *services: str) -> None:
    for service in services:
        os.kill(eventually(partial(machine.function_pid, service)), signal.SIGKILL)


def kill_all(machine: Machine) -> None:
    """Kill the local cloud, and every function with its workers."""
    functions = psutil.Process(machine.pid).children()
    for function in functions:
        with suppress(ProcessLookupError):  # it ended, or has just been forked; then it ends with the cloud
            os.killpg(function.pid, signal.SIGKILL)  # each is a session of its own
    machine.kill()


def send_and_kill(machine: Machine, uploads: Bucket, names: list[str]) -> None:
    """Send all files; meanwhile kill each service once."""

    def send(upload: Upload, door: Door) -> None:
        names.append(door(upload, machine, uploads))

    with ThreadPoolExecutor(6) as pool:
        sent = [pool.submit(send, upload, door) for upload, door in files()]
        for number, service in enumerate(SERVICES, 1):
            wait_for(len(sent) * number // 6, names)
            kill(machine, service)
        for one in sent:
            one.result()


def wait_for(count: int, names: list[str]) -> None:
    """Wait until so many files were accepted."""
    eventually(lambda: len(names) >= count, f"{count} uploads", seconds=SECONDS)


def rerun_and_kill(machine: Machine, cloud: Cloud) -> None:
    """Run the files of one reason again by one request; meanwhile kill the command, services, and the local cloud.

    A paused queue keeps the new runs in work all the time.
    """
    cloud.queue.pause("images")
    request = ("rerun", "--reason", "bad_option", "--yes", "--request", "mine")
    first = start(machine, *request)
    eventually(lambda: claims(cloud) > 1, "a claim", seconds=SECONDS)
    first.kill()
    first.communicate()
    kill(machine, "processor", "status")
    second = start(machine, *request)
    eventually(lambda: claims(cloud) > FILES // 2, "the other claims", seconds=SECONDS)
    kill_all(machine)
    second.kill()
    second.communicate()
    machine.start()
    sluice(machine, *request)
    cloud.queue.resume("images")
    kill(machine, "processor")


def claims(cloud: Cloud) -> int:
    return len(list(cloud.results.names("index/rerun/")))


def reach(wanted: States, cloud: Cloud, agreement: Agreement) -> None:
    """Wait until the list shows these states, or answers contradict each other."""
    found: States = {}

    def is_reached() -> bool:
        assert not agreement.faults, "\n".join(agreement.faults)
        found.clear()
        found.update(Counter((job.verdict, job.reason, job.run) for job in listing.jobs(Query(), cloud)))
        return found == wanted

    eventually(is_reached, str(wanted), seconds=SECONDS, pause_seconds=0.3)


def told(notices: Notices, *kinds: str) -> set[str]:
    """The ids of the notices of these kinds that have come."""
    return {one.attributes["ce-id"] for one in [*notices.seen] if one.attributes["ce-type"] in kinds}


@pytest.mark.long
def test_lists_statuses_and_notices_agree_while_files_run_again_and_everything_is_killed(
    machine: Machine, notices: Notices, connected: Cloud, buckets: dict[str, Bucket], pipeline: Path, tmp_path: Path
) -> None:
    with Observer(connected, machine.url("status"), notices) as observer:
        with tail(machine, tmp_path / "tail") as printed:
            send_and_kill(machine, buckets["uploads"], observer.names)
            reach(AT_FIRST, connected, observer.agreement)
            eventually(lambda: len(of_jobs(printed)) >= 3 * FILES, "tail", seconds=SECONDS, pause_seconds=0.3)
        pipeline.write_text(pipeline.read_text().replace(MISTAKE, ""))
        rerun_and_kill(machine, connected)
        reach(AT_LAST, connected, observer.agreement)
        eventually(lambda: len(told(notices, JOB_FINISHED, STEP_FINISHED)) >= NOTICES, "the last notice", seconds=SECONDS)
    listed = sluice(machine, "ls", "--limit", str(3 * FILES))
    log.info("%s: %s", len(observer.names), dict(observer.counts))

    assert not observer.agreement.faults, "\n".join(observer.agreement.faults)
    assert list(records.faults(buckets["results"], notices.seen)) == []
    assert Counter((job["verdict"], job["reason"], job["run"]) for job in listed) == AT_LAST
    assert sorted(job["name"] for job in listed) == sorted(observer.names)
    assert told(notices, JOB_FINISHED) == {
        f"{job['job_id'].partition('-r')[0]}{again}" for job in listed for again in runs(job)
    }
    data = {one.attributes["ce-id"]: json.loads(one.data) for one in notices.seen}
    assert [one["id"] for one in of_all(printed) if one["data"] != data[one["id"]]] == []


def runs(job: dict[str, Any]) -> list[str]:
    return ["", *(f"-r{number}" for number in range(1, job["run"] + 1))]


def of_all(printed: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.read_text().splitlines(keepends=True) if line.endswith("\n")]


def of_jobs(printed: Path) -> set[str]:
    return {one["id"] for one in of_all(printed) if not one["step"]}
