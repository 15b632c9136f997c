"""Folders of files, good and broken, copied by one command each: each file ends as the tables in `folders/` say."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.settings import ROOT
from tests import clamd
from tests.e2e.conftest import Notices
from tests.e2e.folders import documents, recordings
from tests.e2e.folders.sending import copied
from tests.machine import Machine, running, variables
from tests.ports import free_port
from tests.unit.media.clips import needs_ffmpeg

Program = Callable[[str], str]
SERVICE = ROOT / "examples" / "service-in-node" / "service.mjs"
OUTSIDE = """
[pools.outside]
cpu = 1
memory = "2Gi"
concurrency = 4
max_instances = 1
deadline_seconds = 540

[queues.outside]
pool = "outside"
max_dispatches_per_second = 50
max_concurrent_dispatches = 4
attempts = 3
min_backoff_seconds = 1
max_backoff_seconds = 2

[steps.scan]
processor = "any.scan"
queue = "outside"

[steps.gated]
processor = "text.facts"
queue = "files"
after = ["scan"]

[steps.count]
processor = "service.call"
queue = "outside"
options = {{ url = "http://127.0.0.1:{port}/lines" }}

[[routes]]
content_type = "text/plain"
name = "**/scan/**"
steps = ["scan", "gated"]

[[routes]]
content_type = "text/plain"
name = "**/call/**"
steps = ["count"]
"""


@dataclass(frozen=True)
class Outside:
    """The ports at which a scanner and a service are expected; tests start them."""

    scanner: int
    service: int


@pytest.fixture(scope="module")
def outside() -> Outside:
    return Outside(free_port(), free_port())


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Machine]:
    """A stack with the shipped pipeline, and a scanner and a service for some names."""
    folder = tmp_path_factory.mktemp("folders")
    (folder / "pipeline.toml").write_text((ROOT / "pipeline.toml").read_text() + OUTSIDE.format(port=outside.service))
    settings = {
        "SLUICE_PIPELINE": str(folder / "pipeline.toml"),
        "SLUICE_CLAMD": f"127.0.0.1:{outside.scanner}",
        "SLUICE_SERVICE_ORIGINS": f"http://127.0.0.1:{outside.service}",
    }
    machine = Machine(folder / "stack")
    with variables(settings), running(machine):
        yield machine


@pytest.mark.long
def test_each_document_table_and_text_ends_as_it_should(
    machine: Machine, notices: Notices, program: Program, tmp_path: Path
) -> None:
    sent = documents.every()

    assert len(sent) >= 150
    assert copied(sent, tmp_path / "documents", machine, notices, program) == {}


@pytest.mark.long
@needs_ffmpeg
def test_each_recording_and_archive_ends_as_it_should(
    machine: Machine, notices: Notices, program: Program, tmp_path: Path
) -> None:
    sent = recordings.every()

    assert len(sent) >= 80
    assert copied(sent, tmp_path / "recordings", machine, notices, program) == {}


def test_each_scanned_and_sent_file_ends_as_it_should(
    machine: Machine, notices: Notices, program: Program, outside: Outside, tmp_path: Path
) -> None:
    program("clamd")
    sent = [*recordings.scanned(), *recordings.called()]
    (tmp_path / "clamd").mkdir()
    with ExitStack() as started:
        started.enter_context(clamd.listening(tmp_path / "clamd", outside.scanner))
        service = started.enter_context(
            subprocess.Popen([program("node"), SERVICE, str(outside.service)], stdout=subprocess.PIPE, text=True)
        )
        started.callback(service.kill)
        assert service.stdout is not None
        assert service.stdout.readline().startswith("listening")

        assert copied(sent, tmp_path / "outside", machine, notices, program) == {}
