"""Killed processes: every accepted file still gets one verdict."""

import json
import os
import signal
from pathlib import Path

import pytest
import requests
from google.cloud.storage import Client

from local.stack import FUNCTIONS
from tests.conftest import DATA
from tests.e2e.conftest import Notices
from tests.eventually import eventually
from tests.machine import ROOT, Machine, running, variables


def test_a_processor_killed_between_outputs_and_manifest_ends_succeeded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = tmp_path / "functions"
    functions.mkdir()
    for name in FUNCTIONS:
        mortal = ROOT / "tests" / "e2e" / "mortal" / name
        (functions / name).symlink_to(mortal if mortal.exists() else ROOT / "functions" / name)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(Machine(tmp_path / "data", functions=functions)) as machine:
        notices = Notices(machine)
        with variables(machine.environment):
            client = Client(project="local-project")
        client.bucket("uploads").blob("cat.jpg").upload_from_filename(DATA / "photo.jpg")
        job = notices.job("cat.jpg")
        told = notices.ids("cat.jpg")
        notices.close()
        manifests = list(client.list_blobs("results", prefix="jobs/"))

    assert (tmp_path / "died").exists()
    assert job["verdict"] == "succeeded"
    attempts = {step["step"]: step["attempt"] for step in job["steps"]}
    assert attempts["thumbnails"] == 2
    assert attempts["digest"] in (1, 2)  # it may have been under way in the process that was killed
    assert len(manifests) == 2
    assert set(told) == {job["job_id"], *(step["task_id"] for step in job["steps"])}


def test_everything_killed_at_once_and_started_again_loses_nothing(tmp_path: Path) -> None:
    names = [f"{number}.txt" for number in range(20)]
    machine = Machine(tmp_path / "data")
    machine.start()
    with variables(machine.environment):
        client = Client(project="local-project")
    for name in names:
        client.bucket("uploads").blob(name).upload_from_string(name * 100)
    machine.kill()

    with running(machine):
        notices = Notices(machine)
        jobs = [notices.job(name) for name in names]
        notices.close()
        manifests = [json.loads(blob.download_as_bytes()) for blob in client.list_blobs("results", prefix="jobs/")]

    assert {job["verdict"] for job in jobs} == {"succeeded"}
    assert sorted(manifest["file"]["name"] for manifest in manifests) == sorted(names)


def test_a_function_that_was_killed_is_started_again_and_told_of(tmp_path: Path) -> None:
    with running(Machine(tmp_path / "data")) as machine:
        before = machine.function_pid("status")
        assert before
        os.kill(before, signal.SIGKILL)
        eventually(lambda: machine.function_pid("status") not in (None, before))
        told = machine.printed("function status")

        assert machine.printed("The functions' logs are in").startswith(f"The functions' logs are in {machine.data}/logs;")
        assert told == f"function status ended with status -9; restart in 1 s; log: {machine.data}/logs/status.log\n"
        assert eventually(lambda: _answer(machine.url("status") + "/objects/none")) == 404


def _answer(url: str) -> int | None:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.ConnectionError:
        return None
