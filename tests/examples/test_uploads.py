"""The uploaders: each stores the file as it is, waits for its verdict, and says where the outputs are."""

import io
import random
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import DATA
from tests.examples.conftest import EXAMPLES, Program, Start
from tests.machine import Machine

FOLDER = EXAMPLES / "uploads"
CHUNK_BYTES = 8 << 20  # upload.py's
Find = Callable[[str], str]


def command(program: Find, file: str) -> list[str | Path]:
    interpreter = {".mjs": "node", ".sh": "bash"}.get(Path(file).suffix)
    return [program(interpreter) if interpreter else sys.executable, FOLDER / file]


def run(machine: Machine, folder: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    """A program in this folder, as a user of the stack runs it."""
    return subprocess.run(words, cwd=folder, env=machine.environment, capture_output=True, text=True, timeout=120)


def stored(machine: Machine, name: str) -> bytes:
    """The object's bytes in the uploads bucket."""
    origin = machine.environment["STORAGE_EMULATOR_HOST"]
    with urllib.request.urlopen(f"{origin}/uploads/{name}") as answer:
        found: bytes = answer.read()
        return found


def object_of(printed: str) -> str:
    """The object's name among what an uploader printed."""
    found = re.search(r"\w{26}/[\w.]+", printed)
    assert found, printed
    return found[0]


@pytest.mark.parametrize("file", ["upload.py", "upload.mjs", "upload.sh"])
def test_a_photograph_is_stored_and_its_outputs_are_named(file: str, machine: Machine, program: Find, tmp_path: Path) -> None:
    photo = DATA / "photo.jpg"
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())
    done = run(machine, tmp_path, *command(program, file), "photo.jpg", "image/jpeg")

    assert (done.returncode, "succeeded" in done.stdout) == (0, True), done.stderr
    assert stored(machine, object_of(done.stdout)) == photo.read_bytes()
    (smallest,) = re.findall(r"http://[\w.:/]+/256\.webp", done.stdout)
    with urllib.request.urlopen(smallest) as answer:
        assert Image.open(io.BytesIO(answer.read())).size == (256, 200)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize("file", ["upload.py", "upload.mjs", "upload.sh"])
def test_a_damaged_file_ends_the_program_with_status_1(file: str, machine: Machine, program: Find, tmp_path: Path) -> None:
    (tmp_path / "scan.jpg").write_bytes(b"\xff\xd8\xff damaged")
    done = run(machine, tmp_path, *command(program, file), "scan.jpg", "image/jpeg")

    assert (done.returncode, "truncated" in done.stdout) == (1, True), done.stderr


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of two chunks and a piece."""
    path = tmp_path / "large.bin"
    path.write_bytes(random.Random(5).randbytes(2 * CHUNK_BYTES + 1000))
    return path


def offsets(upload: Program) -> list[int]:
    """Where each of its requests began."""
    return [int(found[1]) for line in upload.lines("err") if (found := re.fullmatch(r"([0-9]+) of [0-9]+ bytes", line))]


def plant(machine: Machine, after: int, *fault: str) -> None:
    """A fault of the requests of upload sessions, after so many of them; the first asks how far it is."""
    match = ("--match", "PUT .*upload_id")
    machine.fault("delay", "storage", "--seconds", "0.001", "--next", str(after), *match)
    machine.fault(*fault, *match)


def test_an_upload_goes_on_after_a_cut(machine: Machine, start: Start, large: Path) -> None:
    plant(machine, 1, "cut", "storage", "--after-bytes", str(CHUNK_BYTES // 2))
    upload = start(sys.executable, FOLDER / "upload.py", large)

    assert upload.wait() == 0
    first, second, third, *_ = offsets(upload)
    assert (first, third - second) == (0, CHUNK_BYTES)
    assert 0 < second < CHUNK_BYTES
    assert stored(machine, object_of(upload.lines()[0])) == large.read_bytes()


def test_an_upload_goes_on_after_kill_9(machine: Machine, start: Start, large: Path) -> None:
    plant(machine, 2, "answer", "storage", "--status", "503", "--next", "1000")
    killed = start(sys.executable, FOLDER / "upload.py", large)
    killed.line("again in", "err")
    killed.kill()
    machine.fault("clear")
    again = start(sys.executable, FOLDER / "upload.py", large)

    assert again.wait() == 0
    assert (offsets(killed), offsets(again)) == ([0, CHUNK_BYTES], [CHUNK_BYTES, 2 * CHUNK_BYTES])
    assert stored(machine, object_of(again.lines()[0])) == large.read_bytes()
    assert not Path(f"{large}.upload").exists()


def test_another_file_of_the_same_name_is_another_upload(machine: Machine, start: Start, large: Path) -> None:
    plant(machine, 2, "answer", "storage", "--status", "503", "--next", "1000")
    killed = start(sys.executable, FOLDER / "upload.py", large)
    killed.line("again in", "err")
    killed.kill()
    machine.fault("clear")
    large.write_bytes(b"other words")
    again = start(sys.executable, FOLDER / "upload.py", large)

    assert again.wait() == 0
    assert stored(machine, object_of(again.lines()[0])) == b"other words"
