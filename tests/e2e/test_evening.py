"""An operator's evening: planted faults are found with `./sluice` and mended, and every file comes out.

Each test takes the way that docs/operations.md describes for its fault.
"""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from google.cloud.storage import Bucket, Client
from PIL import Image

from cli.exits import Code
from local.services import FUNCTIONS
from localcloud.address import LOCATION, PROJECT
from shared.settings import ROOT
from tests.conftest import DATA
from tests.e2e.commands import outputs, run, sluice, states, sweep_until_queued, wait_for, wait_for_words
from tests.eventually import eventually
from tests.machine import Machine, running, variables

HERE = Path(__file__).parent
TRUNCATED = (DATA / "photo.jpg").read_bytes()[:3000]
POISON, GOOD, FEW = 500, 20, 5
PROCESSOR = "from functions.processor.main import processor\n"
#: One that takes another account for its caller answers as a service does on which the queue's account has no grant.
WITHOUT_GRANT = f'import os\n\nos.environ["SLUICE_TASKS_ACCOUNT"] = "another@account"\n{PROCESSOR}'
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pipeline.toml and the functions, which the tests deploy anew."""
    folder = tmp_path_factory.mktemp("evening")
    (folder / "functions/processor").mkdir(parents=True)
    (folder / "functions/processor/main.py").write_text(PROCESSOR)
    for function in FUNCTIONS.keys() - {"processor"}:
        (folder / "functions" / function).symlink_to(ROOT / "functions" / function)
    (folder / "pipeline.toml").write_text((HERE / "evening.toml").read_text())
    return folder


@pytest.fixture(scope="module")
def machine(folder: Path) -> Iterator[Machine]:
    # No sweep but the tests' own: one by schedule would queue the files whose sweep a test waits for.
    machine = Machine(folder / "stack", functions=folder / "functions", sweep_seconds=24 * 3600)
    settings = {"SLUICE_PIPELINE": str(folder / "pipeline.toml"), "SLUICE_SWEEP_AFTER_SECONDS": "1"}
    with variables(settings), running(machine):
        yield machine


@pytest.fixture(autouse=True)
def _pipeline(_own_environment: None, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Commands, and the stack when it is started again, use this pipeline too."""
    monkeypatch.setenv("SLUICE_PIPELINE", str(folder / "pipeline.toml"))
    monkeypatch.setenv("SLUICE_SWEEP_AFTER_SECONDS", "1")


@pytest.fixture
def uploads(machine: Machine) -> Bucket:
    with variables(machine.environment):
        return Client(project=PROJECT).bucket("uploads")


def picture() -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(encoded, "PNG")
    return encoded.getvalue()


def send(uploads: Bucket, folder: str, count: int, data: bytes) -> None:
    for number in range(count):
        uploads.blob(f"{folder}/{number:03}.png").upload_from_string(data, content_type="image/png")


def deploy(machine: Machine, folder: Path, processor: str) -> None:
    """Another revision of the processor: the running one is killed."""
    (folder / "functions/processor/main.py").write_text(processor)
    before = eventually(lambda: machine.function_pid("processor"))
    os.kill(before, signal.SIGKILL)
    eventually(lambda: machine.function_pid("processor") not in (None, before))


def restart(machine: Machine) -> None:
    """Deploy the pipeline.toml of now: services read it when they start."""
    machine.stop()
    machine.start()


@contextmanager
def paused(machine: Machine) -> Iterator[None]:
    sluice(machine, "pause", "images")
    yield
    sluice(machine, "resume", "images")


def dispatches(machine: Machine) -> int:
    """The attempts of the queue so far."""
    calls = requests.get(f"{machine.environment['SLUICE_TASKS_ENDPOINT']}/local/calls", timeout=60).json()
    return sum(int(one["calls"]) for one in calls if one["operation"] == "dispatch")


def test_a_processor_that_lost_its_grant_keeps_its_files_waiting(machine: Machine, uploads: Bucket, folder: Path) -> None:
    deploy(machine, folder, WITHOUT_GRANT)
    send(uploads, "grant", FEW, picture())
    wait_for_words(machine, " was answered PERMISSION_DENIED", "show", "grant/000.png")
    waiting = states(machine, "grant")

    deploy(machine, folder, PROCESSOR)

    wait_for(machine, "grant", succeeded=FEW)
    assert waiting == {"processing": FEW}


def test_a_bucket_that_refuses_the_processor_keeps_its_files_waiting(machine: Machine, uploads: Bucket) -> None:
    with paused(machine):
        send(uploads, "bucket", FEW, picture())
        wait_for(machine, "bucket", processing=FEW)
        machine.fault("answer", "storage", "--status", "403", "--match", "b/uploads/o/.*alt=media", "--next", "100000")
    try:
        wait_for_words(machine, "last error: bucket uploads is unavailable (Forbidden)", "show", "bucket/000.png")
        waiting = states(machine, "bucket")
    finally:
        machine.fault("clear")

    wait_for(machine, "bucket", succeeded=FEW)
    assert waiting == {"processing": FEW}


def test_500_poison_files_end_with_their_reason_and_delay_no_others(machine: Machine, uploads: Bucket) -> None:
    before = dispatches(machine)
    with paused(machine):
        send(uploads, "poison", POISON, TRUNCATED)
        send(uploads, "good", GOOD, picture())
    wait_for(machine, "good", succeeded=GOOD)
    wait_for(machine, "poison", failed=POISON)
    spent = dispatches(machine) - before
    poison = ("--name", "poison/**", "--reason", "truncated")
    listed = sluice(machine, "ls", *poison, "--limit", "1000", "--format", "name").splitlines()
    counted = sluice(machine, "rerun", *poison)
    begun = sluice(machine, "rerun", *poison, "--yes")
    eventually(lambda: dispatches(machine) == before + spent + POISON, "the second runs")
    wait_for(machine, "poison", failed=POISON)

    assert spent == POISON + GOOD  # none is delivered twice: a good one waits for no repeat of a bad one
    assert len(listed) == POISON
    assert "500 of 500 can run again: at least " in counted
    assert "500 begun" in begun
    assert "send it again whole" in sluice(machine, "show", "poison/000.png")


def test_files_wait_out_an_outage_of_storage(machine: Machine, uploads: Bucket) -> None:
    before = dispatches(machine)
    with paused(machine):
        send(uploads, "outage", FEW, picture())
        wait_for(machine, "outage", processing=FEW)
        machine.fault("answer", "storage", "--status", "503", "--next", "100000")
    try:
        eventually(lambda: dispatches(machine) > before, "a delivery into the outage")
        listed = run(("./sluice", "ls"), machine.environment)
    finally:
        machine.fault("clear")

    wait_for(machine, "outage", succeeded=FEW)
    assert listed.returncode == Code.UNREACHABLE
    assert listed.stderr.startswith("error: bucket results is unavailable")


def test_a_wrong_pipeline_is_replaced_and_its_files_run_again(machine: Machine, uploads: Bucket, folder: Path) -> None:
    path = folder / "pipeline.toml"
    right = path.read_text()
    path.write_text(right.replace("[64]", "[16]"))
    restart(machine)
    send(uploads, "wrong", FEW, picture())
    wait_for(machine, "wrong", succeeded=FEW)
    path.write_text(right)
    restart(machine)
    names = [f"wrong/{number:03}.png" for number in range(FEW)]
    before = [outputs(machine, name) for name in names]

    sluice(machine, "rerun", "--name", "wrong/**", "--yes")

    both = ["icon_16.webp", "icon_64.webp"]
    eventually(lambda: [outputs(machine, name) for name in names] == [both] * FEW, "the right outputs", pause_seconds=0.5)
    wait_for(machine, "wrong", succeeded=FEW)
    assert before == [["icon_16.webp"]] * FEW


def test_a_broken_pipeline_is_refused_and_its_files_wait(machine: Machine, uploads: Bucket, folder: Path) -> None:
    path, environment = folder / "pipeline.toml", machine.environment
    right = path.read_text()
    with paused(machine):
        send(uploads, "broken", FEW, picture())
        wait_for(machine, "broken", processing=FEW)
        path.write_text(right.replace("image.renditions", "image.rendition"))
        listed = run(("./sluice", "ls"), environment)
        machine.stop()
        place = ("--data", str(machine.data), "--port-offset", str(machine.offset))
        started = run((sys.executable, "-m", "local", "up", *place), environment)
        path.write_text(right)
        machine.start()

    wait_for(machine, "broken", succeeded=FEW)
    assert (started.returncode, listed.returncode) == (1, Code.USAGE)
    assert all(f"{path}: steps.icon.processor: 'image.rendition' is unknown" in one.stderr for one in (started, listed))


def test_a_sweep_queues_again_what_a_purge_removed(machine: Machine, uploads: Bucket) -> None:
    with paused(machine):
        send(uploads, "purged", FEW, picture())
        wait_for(machine, "purged", processing=FEW)
        queue = f"projects/{PROJECT}/locations/{LOCATION}/queues/images"
        url = f"{machine.environment['SLUICE_TASKS_ENDPOINT']}/v2/{queue}:purge"
        requests.post(url, json={}, timeout=60).raise_for_status()
        wait_for(machine, "purged")
        shown = sluice(machine, "show", "purged/000.png")
        while_paused = wait_for_words(machine, f"{FEW}  paused", "sweep")

    sweep_until_queued(machine, FEW)

    wait_for(machine, "purged", succeeded=FEW)
    assert "its queue has no task of it yet" in shown
    assert ": ./sluice resume images && ./sluice sweep\n" in shown
    assert "0  queued" in while_paused


def test_a_sweep_queues_files_whose_notifications_were_dropped(machine: Machine, uploads: Bucket) -> None:
    machine.fault("drop", "notifications", "--next", str(FEW))
    send(uploads, "dropped", FEW, picture())
    listed = states(machine, "dropped")
    shown = sluice(machine, "show", "dropped/000.png")

    sweep_until_queued(machine, FEW)

    wait_for(machine, "dropped", succeeded=FEW)
    assert not listed
    assert "its queue has no task of it yet" in shown
    assert ": ./sluice sweep\n" in shown
