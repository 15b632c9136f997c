"""`kill -9` of the child, the zygote or the service while a file runs: it heals, and nothing is left running."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from shared.errors import ProcessorFailed
from shared.processors import Made
from shared.sandbox.outcome import Ran
from shared.sandbox.service import Sandbox
from tests.eventually import eventually
from tests.unit.sandbox import hostile
from tests.unit.sandbox.conftest import ROOM_BYTES, Run

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One of this test's own, as it kills the zygote."""
    own = Sandbox([hostile.NAME], ROOM_BYTES)
    yield own
    own.stop()


@contextmanager
def running(run: Run, text: str) -> Iterator[list[Ran]]:
    """Run a file in another thread; the list has its outcome after the block."""
    ended: list[Ran] = []
    thread = threading.Thread(target=lambda: ended.append(run(text)))
    thread.start()
    yield ended
    thread.join(timeout=120)
    assert ended, "the run did not end"


def zygote(sandbox: Sandbox) -> psutil.Process:
    """The process that forks the children."""
    return psutil.Process(eventually(lambda: sandbox.zygote_pid))


def child(folder: Path, attempt: int = 1) -> psutil.Process:
    """The child that works in this folder, once it does."""
    note = eventually(
        lambda: next((path for path in folder.glob(f"work*/folder/{attempt}/outputs/begun") if path.read_text()), None)
    )
    return psutil.Process(int(note.read_text()))


@pytest.mark.failure("T26")
def test_a_killed_child_runs_again(run: Run, tmp_path: Path) -> None:
    with running(run, "once") as ended:
        child(tmp_path).kill()

    assert isinstance(ended[0].outcome, Made)


@pytest.mark.failure("T26")
def test_a_child_killed_twice_is_the_files_fault(run: Run, tmp_path: Path) -> None:
    with running(run, "sleep") as ended:
        for attempt in (1, 2):
            child(tmp_path, attempt).kill()

    assert str(ended[0].outcome) == "its decoder crashed with SIGKILL"


def test_after_a_killed_zygote_the_step_runs_in_a_new_one(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    with running(run, "once") as ended:
        first = child(tmp_path)
        zygote(sandbox).kill()
        eventually(lambda: not first.is_running())

    assert isinstance(ended[0].outcome, Made)


def test_a_step_whose_zygote_dies_twice_has_failed(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    with running(run, "sleep") as ended:
        for attempt in (1, 2):
            child(tmp_path, attempt)
            zygote(sandbox).kill()

    assert isinstance(ended[0].outcome, ProcessorFailed)


def test_a_zygote_that_stands_still_is_replaced(
    run: Run, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.sandbox.service.KILL_SECONDS", 0.2)
    with running(lambda text: run(text, seconds=3), "once") as ended:
        child(tmp_path)
        zygote(sandbox).send_signal(signal.SIGSTOP)

    assert isinstance(ended[0].outcome, Made)


@pytest.mark.failure("T29")
def test_with_the_service_everything_ends(tmp_path: Path) -> None:
    script = """
from pathlib import Path
from shared.model import recipe
from shared.sandbox.service import Sandbox
from tests.unit.sandbox import hostile
source, folder = Path("work/source").resolve(), Path("work/folder").resolve()
Sandbox([hostile.NAME], 1 << 30).run(recipe("step", hostile.NAME, 1, {}), source, folder, hostile.LIMITS)
"""
    (tmp_path / "work" / "folder").mkdir(parents=True)
    (tmp_path / "work" / "source").write_text("sleep")
    with subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}) as service:
        processes = [child(tmp_path), *psutil.Process(service.pid).children()]
        service.kill()

    eventually(lambda: not any(process.is_running() for process in processes))


def test_many_runs_side_by_side_leave_no_process(run: Run, sandbox: Sandbox) -> None:
    texts = ["write well", "exit 3", "raise no", "link /etc/passwd"] * 5
    outcomes: list[Ran] = []
    threads = [threading.Thread(target=lambda text=text: outcomes.append(run(text))) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == len(texts)
    assert sum(isinstance(ran.outcome, Made) for ran in outcomes) == 5
    eventually(lambda: not zygote(sandbox).children())


def test_a_child_killed_without_time_for_a_second_run_is_not_the_files_fault(run: Run, tmp_path: Path) -> None:
    with running(lambda text: run(text, seconds=3), "sleep") as ended:
        child(tmp_path).kill()

    assert isinstance(ended[0].outcome, ProcessorFailed)
    assert str(ended[0].outcome) == "its decoder crashed with SIGKILL, and it had no time to run again"
