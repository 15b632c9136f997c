"""Killed processes: every accepted file still gets one verdict."""

import io
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud.storage import Blob, Client
from PIL import Image

from local.services import FUNCTIONS
from tests.e2e.conftest import Notices
from tests.eventually import eventually
from tests.machine import ROOT, Machine, running, variables

MORTAL = ROOT / "tests" / "e2e" / "mortal"
#: The writes of a file's two tasks, in order; the functions folder in MORTAL has a processor that dies at each.
WRITES = ["output-0", "manifest-0", "notices-0", "task-0", "output-1", "manifest-1", "notices-1", "entry-1"]


def test_a_processor_killed_before_or_after_any_write_ends_as_if_it_had_lived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mortals = [f"{when}-{write}.png" for write in WRITES for when in ("before", "after")]
    files = ["unharmed.png", *mortals]
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("SLUICE_PIPELINE", str(MORTAL / "pipeline.toml"))
    with running(Machine(tmp_path / "data", functions=mortal_functions(tmp_path))) as machine:
        notices = Notices(machine)
        with variables(machine.environment):
            client = Client(project="local-project")
        jobs: dict[str, dict[str, Any]] = {}
        for together in (
            ["unharmed.png"],
            mortals,
            ["last.png"],
        ):  # no death may meet the first; the last comes after all repeats
            for name in together:
                client.bucket("uploads").blob(name).upload_from_string(small_picture(), content_type="image/png")
            jobs |= {name: notices.job(name) for name in together}
            eventually(lambda: not waiting_tasks(machine))
        told = {name: notices.of(name) for name in files}
        notices.close()
        objects = {name: results(client, jobs[name]) for name in files}

    assert {path.name.removeprefix("died-") for path in tmp_path.glob("died-*")} == set(mortals)
    writes = [line.split() for line in (tmp_path / "writes").read_text().splitlines()]
    assert [write for name, write in writes if name == "unharmed.png"] == WRITES
    assert objects["unharmed.png"].keys() == {"job.json", "1-second.json", "64.png", "16.png"}
    for name in files:
        assert objects[name] == objects["unharmed.png"], name
        assert len(told[name]) == 4, name
        assert all(len(set(bodies)) == 1 for bodies in told[name].values()), name
        assert jobs[name]["verdict"] == "succeeded", name


def mortal_functions(folder: Path) -> Path:
    """A folder with the functions, in which the mortal ones replace those of the same name."""
    functions = folder / "functions"
    functions.mkdir()
    for name in FUNCTIONS:
        (functions / name).symlink_to(MORTAL / name if (MORTAL / name).exists() else ROOT / "functions" / name)
    return functions


def small_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def waiting_tasks(machine: Machine) -> list[object]:
    """The tasks in both queues."""
    base = machine.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS"]
    queues = f"{base}v2/projects/local-project/locations/us-central1/queues"
    answers = [requests.get(f"{queues}/{name}/tasks", timeout=60).json() for name in ("first", "second")]
    return [task for answer in answers for task in answer.get("tasks", ())]


def results(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """Manifests and outputs of a file by the last part of their names, without what differs from file to file."""
    file = job["file"]
    names = (f"jobs/{job['file_id']}/", f"files/{file['name']}/")
    blobs = {blob.name.rpartition("/")[2]: blob for prefix in names for blob in client.list_blobs("results", prefix=prefix)}
    return {name: manifest(blob) if name.endswith(".json") else blob.crc32c for name, blob in blobs.items()}


def manifest(blob: Blob) -> dict[str, Any]:
    """The lasting part of a manifest: the plan, and verdict, facts and outputs of each step."""
    body = json.loads(blob.download_as_bytes())
    shown = ("step", "recipe_id", "verdict", "reason", "message", "facts")
    steps = [{key: step[key] for key in shown} for step in body["steps"]]
    outputs = [[output | {"object": ""} for output in step["outputs"]] for step in body["steps"]]
    return {"plan": body["plan"], "place": (body["stage"], body["queue"]), "steps": steps, "outputs": outputs}


def test_everything_killed_at_once_and_started_again_loses_nothing(machine: Machine) -> None:
    names = [f"{number}.txt" for number in range(20)]
    with variables(machine.environment):
        client = Client(project="local-project")
    for name in names:
        client.bucket("uploads").blob(name).upload_from_string(name * 100)
    machine.kill()

    machine.start()
    notices = Notices(machine)
    jobs = [notices.job(name) for name in names]
    notices.close()
    manifests = [json.loads(blob.download_as_bytes()) for blob in client.list_blobs("results", prefix="jobs/")]

    assert {job["verdict"] for job in jobs} == {"succeeded"}
    assert sorted(one["job"]["file"]["name"] for one in manifests) == sorted(names)


def test_a_function_that_was_killed_is_started_again_and_told_of(machine: Machine) -> None:
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
        return requests.get(url, timeout=60).status_code
    except requests.ConnectionError:
        return None
