"""Deliveries leave no files: their folders are deleted at their end, or by the next process."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from shared.sandbox.folders import Folders
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
        living.communicate("\n", timeout=10)

    eventually(lambda: not folder.parent.exists())  # and with its end they go
