"""Operators run failed files again by the command line; killed at any moment, every file ends with one more run."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
import requests
from google.cloud.storage import Bucket, Client

from shared.settings import ROOT
from tests.conftest import DATA
from tests.e2e.conftest import Notices
from tests.eventually import eventually
from tests.machine import Machine, variables

FILES = 20  # of each reason
PHOTO = (DATA / "photo.jpg").read_bytes()
REASONS = {"corrupt": PHOTO[:50_000], "unidentified": b"no picture", "name_too_long": b"words"}


@pytest.fixture(scope="module")
def buckets(machine: Machine) -> dict[str, Bucket]:
    with variables(machine.environment):
        client = Client(project="local-project")
    return {name: client.bucket(name) for name in ("uploads", "results")}


def start(machine: Machine, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, **machine.environment, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def sluice(machine: Machine, *arguments: str) -> list[dict[str, Any]]:
    out, err = start(machine, *arguments, "--format", "ndjson").communicate(timeout=120)
    assert "error" not in err, err
    return [json.loads(line) for line in out.splitlines()]


def states(machine: Machine) -> Counter[tuple[str, str, int]]:
    """The number of files by verdict, reason and newest run."""
    jobs = sluice(machine, "ls", "--limit", "1000")
    return Counter((job["verdict"], job["reason"], job["run"]) for job in jobs)


def name_of(reason: str, number: int) -> str:
    return f"{reason}-{number}.jpg" + ("x" * 900 if reason == "name_too_long" else "")


def test_files_that_failed_for_one_reason_run_again_once_whatever_is_killed(
    machine: Machine, notices: Notices, buckets: dict[str, Bucket]
) -> None:
    names = {reason: [name_of(reason, number) for number in range(FILES)] for reason in REASONS}
    for reason, data in REASONS.items():
        for name in names[reason]:
            buckets["uploads"].blob(name).upload_from_string(data, content_type="image/jpeg")
    at_first = {("partial", "corrupt", 0): FILES, ("partial", "unidentified", 0): FILES, ("failed", "name_too_long", 0): FILES}
    eventually(lambda: states(machine) == at_first, seconds=120)

    request = ("rerun", "--verdict", "partial", "--reason", "corrupt", "--yes", "--request", "mine")
    cut_off = start(machine, *request)
    eventually(lambda: list(buckets["results"].list_blobs(prefix="index/rerun/")))
    cut_off.kill()
    cut_off.communicate()
    os.kill(machine.function_pid("processor") or 0, signal.SIGKILL)
    sluice(machine, *request)

    at_last = {**at_first, ("partial", "corrupt", 1): FILES}
    del at_last["partial", "corrupt", 0]
    eventually(lambda: states(machine) == at_last, seconds=120)
    for name in names["corrupt"]:
        first = notices.job(name)["job_id"]
        again = notices.job(name, but_not=first)
        shown = sluice(machine, "show", name)[0]
        status = requests.get(f"{machine.url('status')}/objects/{name}", timeout=10).json()
        assert (shown["runs"][0]["job_id"], status["job_id"]) == (again["job_id"], again["job_id"])
        assert (again["verdict"], again["run"]) == ("partial", 1)
        assert all(len(set(bodies)) == 1 for bodies in notices.of(name).values())
