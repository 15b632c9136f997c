"""Deliveries leave no files: their folders are deleted at their end, or by the next process."""

import fcntl
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from shared.sandbox.folders import Folders, delete
from tests.eventually import eventually

ROOT = Path(__file__).resolve().parents[3]
WORK = """
from shared.sandbox.folders import Folders
with Folders().new() as folder:
    (folder / "original").write_text("data")
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _process(place: Path) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(place)}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", WORK], env=environment, stdin=pipe, stdout=pipe, text=True)


def _folder(process: "subprocess.Popen[str]") -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_a_folder_is_deleted_at_its_end_with_all_in_it(place: Path) -> None:
    with Folders().new() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("data")

    assert not folder.exists()
    assert folder.is_relative_to(place)


def test_what_a_killed_process_left_is_deleted_by_the_next(place: Path) -> None:
    with _process(place) as killed:
        left = _folder(killed)
        killed.kill()
    assert (left / "original").exists()

    with Folders().new():
        assert not left.exists()


def test_the_folders_of_a_living_process_stay(place: Path) -> None:
    with _process(place) as living:
        folder = _folder(living)
        with Folders().new():
            assert (folder / "original").exists()
        living.communicate("\n", timeout=60)

    eventually(lambda: not folder.parent.exists())  # and with its end they go


def test_a_folder_whose_lock_another_process_was_faster_to_take_is_left_to_it(place: Path) -> None:
    """Another process sweeps between the creation of the lock's file and its locking."""
    done = threading.Event()

    def sweep() -> None:
        swept: set[Path] = set()
        while not done.is_set():
            for lock in set(place.glob("sluice-*/lock")) - swept:
                with lock.open() as file:
                    swept.add(lock)
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except OSError:
                        continue
                    delete(lock.parent)

    other = threading.Thread(target=sweep)
    other.start()
    try:
        for _ in range(60):
            with Folders().new() as folder:
                assert folder.exists()
    finally:
        done.set()
        other.join()
