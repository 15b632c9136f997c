"""A hijacked decoder hides no file from the service, and leaves none."""

import os
import sys
from pathlib import Path

import pytest

from shared.errors import BadFile
from shared.sandbox.folders import delete
from tests.unit.sandbox.conftest import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files that a process holds are read from /proc")

#: The end of programs that have written 1 MiB sixty times, more than the limit: they wait to be stopped.
_REST = """
import signal
signal.pause()
"""
TOO_DEEP = """
import os
os.chdir(folder)
for _ in range(30):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
for number in range(60):
    open(str(number), "wb").write(bytes(1 << 20))
"""
MAPPED = """
import ctypes, os
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
for _ in range(60):
    file = os.open(folder / "mapped", os.O_RDWR | os.O_CREAT)
    os.write(file, bytes(1 << 20))
    libc.mmap(None, 4096, 1, 1, file, 0)
    os.close(file)
    os.unlink(folder / "mapped")
"""
HELD_BY_A_THREAD = """
import os, threading
def hold():
    threading.Event().wait(0.2)
    files = []
    for _ in range(55):
        files.append(os.open(folder / "held", os.O_RDWR | os.O_CREAT))
        os.write(files[-1], bytes(1 << 20))
        os.unlink(folder / "held")
    threading.Event().wait(1)
    os._exit(0)
threading.Thread(target=hold).start()
libc.syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)  # exit(2): of this thread only
"""


@pytest.mark.parametrize("code", [TOO_DEEP, MAPPED, HELD_BY_A_THREAD], ids=["too deep", "mapped", "held by a thread"])
def test_files_that_a_listing_does_not_show_count_too(run: Run, code: str) -> None:
    outcome = run("python " + code + _REST).outcome

    assert isinstance(outcome, BadFile), outcome
    assert outcome.code == "limit_output"


def test_files_that_are_closed_and_opened_all_the_time_hide_no_others(run: Run) -> None:
    code = """
import contextlib, os, threading
def flap():
    while True:
        file = os.open("/dev/null", os.O_RDONLY)
        os.dup2(file, 3)
        os.close(file)
        os.close(3)
files = [os.open(folder / "0", os.O_RDWR | os.O_CREAT) for _ in range(8)]
os.close(files[0])
threading.Thread(target=flap, daemon=True).start()
while True:
    with contextlib.suppress(OSError):  # the other thread may close what has its number
        file = os.open(folder / "held", os.O_RDWR | os.O_CREAT)
        os.write(file, bytes(1 << 20))
        os.unlink(folder / "held")
"""
    outcome = run("python " + code + _REST).outcome

    assert isinstance(outcome, BadFile), outcome
    assert outcome.code == "limit_output"


def test_a_child_with_thousands_of_threads_is_stopped(run: Run) -> None:
    code = """
import threading
threading.stack_size(32768)
end = threading.Event()
try:
    while True:
        threading.Thread(target=end.wait, daemon=True).start()
except RuntimeError:
    end.wait()
"""
    outcome = run("python " + code).outcome

    assert isinstance(outcome, BadFile), outcome
    assert outcome.code == "limit_memory"


def test_a_tree_as_deep_as_a_child_may_make_it_is_deleted(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    here = os.open(tree, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    (tree / "closed").mkdir(mode=0o300)
    (tree / "link").symlink_to(tmp_path)

    delete(tree)

    assert list(tmp_path.iterdir()) == []


def test_a_link_is_deleted_without_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "other")

    delete(tmp_path / "tree")

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "other"]
