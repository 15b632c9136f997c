"""Files from before, on the real stack: counted, begun, queued by the sweeper, resumed, each with its notice."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Client

from tests.conftest import PIPELINE
from tests.e2e.conftest import Notices
from tests.eventually import eventually
from tests.machine import Machine, running, variables

NAMES = ("old/a.txt", "old/b.txt", "old/c.txt")
#: A file is from before once it is a second old.
SETTINGS = {"SLUICE_PIPELINE": str(PIPELINE), "SLUICE_SWEEP_AFTER_SECONDS": "1"}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    # No sweep by schedule: it would queue the file that a limit leaves out.
    machine = Machine(Path(tmp_path_factory.mktemp("before")), sweep_seconds=24 * 3600)
    with variables(SETTINGS), running(machine):
        yield machine


def sluice(machine: Machine, *arguments: str) -> Any:
    """The JSON that a command prints."""
    done = machine.run(sys.executable, "-m", "cli", "backfill", *arguments, "--format", "json", **SETTINGS)
    return json.loads(done.stdout)


@pytest.mark.long
def test_files_from_before_get_their_verdicts(machine: Machine, notices: Notices) -> None:
    machine.fault("drop", "notifications", "--next", str(len(NAMES)))
    with variables(machine.environment):
        bucket = Client(project="local-project").bucket("uploads")
    for name in NAMES:
        bucket.blob(name).upload_from_string(b"words")
    eventually(lambda: sluice(machine, "old/").get("open") == len(NAMES), pause_seconds=0.5)
    (begun,) = sluice(machine, "old/", "--yes", "--limit", "2")

    for name in NAMES[:2]:
        assert notices.job(name)["verdict"] == "succeeded"
    eventually(lambda: sluice(machine, "ls")[0]["state"] == "limit", pause_seconds=0.5)
    assert notices.ids(NAMES[2]) == []
    sluice(machine, "resume", begun["backfill"])
    assert notices.job(NAMES[2])["verdict"] == "succeeded"
    eventually(lambda: sluice(machine, "ls")[0]["state"] == "done", pause_seconds=0.5)
    assert sluice(machine, "old/")["ended"] == len(NAMES)
