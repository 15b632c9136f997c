"""Archives on the stack: listed, extracted with archives in archives, and the processor killed meanwhile."""

import re
from collections.abc import Iterator

import pytest
import requests
from google.cloud.storage import Client

from shared.settings import ROOT
from tests.e2e.conftest import Notices
from tests.machine import Machine, running, variables
from tests.unit.archive.archives import zipped

(RECIPE,) = re.findall(r"^```toml\n(.*?)^```", (ROOT / "docs" / "archives.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("archives")
    (folder / "pipeline.toml").write_text(f"{(ROOT / 'pipeline.toml').read_text()}\n{RECIPE}")
    machine = Machine(folder / "stack")
    with variables({"SLUICE_PIPELINE": str(folder / "pipeline.toml")}), running(machine):
        yield machine


def test_an_archive_is_extracted_and_its_files_are_processed(machine: Machine, notices: Notices, photo: bytes) -> None:
    inner = zipped({"deep.txt": b"one\n"})
    data = zipped(
        {"photos/": b"", "photos/cat.jpg": photo, "lines.txt": b"one\ntwo\n", "inner.zip": inner, "/etc/passwd": b"x"}
    )
    with variables(machine.environment):
        blob = Client(project="local-project").bucket("uploads").blob("pets.zip")
    blob.metadata = {"sluice-steps": "extract"}
    blob.upload_from_string(data, content_type="application/zip")

    job = notices.job("pets.zip")
    facts = {step["step"]: step["facts"] for step in job["steps"]}
    folder = facts["extract"]["folder"]
    children = {name: notices.job(f"{folder}{name}") for name in ("2/cat.jpg", "3/lines.txt", "4/inner.zip")}
    found = requests.get(f"{machine.url('status')}/objects/pets.zip?members", timeout=30).json()

    assert job["verdict"] == "succeeded"
    assert (facts["members"]["members"], facts["members"]["unsafe_paths"]) == (5, 1)
    assert (facts["extract"]["extracted"], facts["extract"]["refused"]) == (3, 1)
    assert {name: child["verdict"] for name, child in children.items()} == dict.fromkeys(children, "succeeded")
    assert {step["step"] for step in children["2/cat.jpg"]["steps"]} == {"thumbnails", "facts", "digest"}
    assert children["3/lines.txt"]["file"]["metadata"]["sluice-hops"] == "1"
    assert [(member["number"], member["state"]) for member in found["members"]] == [
        (number, "succeeded") for number in (2, 3, 4)
    ]
