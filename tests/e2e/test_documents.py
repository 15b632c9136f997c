"""Documents, tables and texts, copied by one command: each ends as the table in `documents/files.py` says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.settings import ROOT
from tests.e2e.conftest import Notices
from tests.e2e.documents import files
from tests.e2e.documents.files import Sent
from tests.machine import Machine, running, variables

Program = Callable[[str], str]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A stack with the shipped pipeline."""
    machine = Machine(tmp_path_factory.mktemp("stack"))
    with variables({"SLUICE_PIPELINE": str(ROOT / "pipeline.toml")}), running(machine):
        yield machine


def differences(sent: Sent, job: dict[str, Any]) -> list[str]:
    """Facts, verdict and reason of a job that are not those of the table."""
    step: dict[str, Any] = next((one for one in job["steps"] if one["step"] == sent.step), {})
    facts = step.get("facts", {})
    found = {
        "verdict": job["verdict"],
        "reason": step.get("reason", "no such step"),
        **{key: facts.get(key) for key in sent.facts},
    }
    wanted = {"verdict": sent.verdict, "reason": sent.reason, **sent.facts}
    return [f"{key} {found[key]!r}; wanted {wanted[key]!r}" for key in wanted if found[key] != wanted[key]]


def test_each_file_of_a_copied_folder_ends_as_it_should(
    machine: Machine, notices: Notices, program: Program, tmp_path: Path
) -> None:
    sent = files.every()
    for one in sent:
        path = tmp_path / "archive" / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)

    machine.run(program("gsutil"), "-m", "cp", "-r", str(tmp_path / "archive"), "gs://uploads")

    faults = {one.name: differences(one, notices.job(f"archive/{one.name}")) for one in sent}
    assert len(sent) >= 150
    assert {name: found for name, found in faults.items() if found} == {}
