"""A hijacked decoder reaches nothing, whatever it tries."""

import errno
import os
import platform
import re
import sys
from pathlib import Path

import pytest

from shared.sandbox import denied, seccomp
from shared.sandbox.confinement import DESCRIPTORS
from tests.unit.sandbox.conftest import Run

DENIED, FORBIDDEN = os.strerror(errno.EACCES), os.strerror(errno.EPERM)
HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")


def test_a_child_reaches_nothing_but_its_own_files(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of another file")

    found = dict(run(f"escape {os.getpid()} {secret}").made().facts)

    environment, descriptors = found.pop("environment"), found.pop("descriptors")
    assert set(found.values()) <= {DENIED, FORBIDDEN}
    assert len(found) == 24
    assert descriptors == [0, 1, 2]
    assert not [name for name in environment if name.startswith(("SLUICE", "GOOGLE", "AWS", "HOME", "USER"))]


def test_a_child_may_read_its_assets_and_no_more(run: Run, tmp_path: Path) -> None:
    (asset := tmp_path / "asset").write_text("a logo")
    code = f"""
import os
found["read"] = open({str(asset)!r}).read()
found["write"] = tried(lambda: open({str(asset)!r}, "a"))
found["list"] = tried(lambda: os.listdir({str(tmp_path)!r}))
"""
    found = run("python " + code, {"assets/logo.png": asset}).made().facts

    assert found == {"read": "a logo", "write": DENIED, "list": DENIED}


def test_a_child_has_none_of_the_administrators_rights(run: Run) -> None:
    code = """
import ctypes
held = ctypes.create_string_buffer(24)
libc.capget(ctypes.create_string_buffer(bytes.fromhex("2205082000000000"), 8), held)
found["held"] = sum(held.raw)
"""
    assert run("python " + code).made().facts == {"held": 0}


def test_a_child_among_a_hundred_has_few_descriptors_of_its_own(run: Run) -> None:
    code = 'import resource\nfound["most"] = resource.getrlimit(resource.RLIMIT_NOFILE)'

    assert run("python " + code).made().facts == {"most": [DESCRIPTORS, DESCRIPTORS]}


def test_a_child_dumps_no_core(run: Run) -> None:
    code = 'import resource\nfound["core"] = resource.getrlimit(resource.RLIMIT_CORE)'

    assert run("python " + code).made().facts == {"core": [0, 0]}


def test_shared_memory_that_no_limit_counts_is_refused(run: Run) -> None:
    found = run('python import mmap\nfound["shared"] = tried(lambda: mmap.mmap(-1, 4096))').made().facts

    assert found == {"shared": os.strerror(errno.ENOMEM)}


def test_a_mapping_that_counts_as_a_stack_is_refused(run: Run) -> None:
    code = """
import mmap
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
found["heap"] = tried(lambda: mmap.mmap(-1, 4096, flags=flags))
found["stack"] = tried(lambda: mmap.mmap(-1, 4096, flags=flags | 0x100))
"""
    assert run("python " + code).made().facts == {"heap": "done", "stack": os.strerror(errno.ENOMEM)}


def test_memory_that_a_pipe_would_keep_is_refused(run: Run) -> None:
    code = """
import ctypes, os
end, start = os.pipe()
class Part(ctypes.Structure):
    _fields_ = [("first", ctypes.c_char_p), ("size", ctypes.c_size_t)]
found["vmsplice"] = [libc.vmsplice(start, ctypes.byref(Part(b"page", 4)), 1, 0), ctypes.get_errno()]
found["splice"] = [libc.splice(os.open(source, os.O_RDONLY), None, start, None, 4, 0), ctypes.get_errno()]
found["tee"] = [libc.tee(end, os.pipe()[1], 4, 0), ctypes.get_errno()]
"""
    found = run("python " + code).made().facts

    assert found == {name: [-1, errno.EPERM] for name in ("vmsplice", "splice", "tee")}


def test_a_child_may_start_threads(run: Run) -> None:
    assert run("thread").made().facts == {"threads": 1}


@pytest.mark.parametrize("column", [0, 1], ids=list(HEADERS))
def test_the_numbers_of_system_calls_are_the_kernels(column: int) -> None:
    header = Path(list(HEADERS.values())[column])
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    kernel = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))

    wrong = {
        name: numbers[column] for name, numbers in denied.NUMBERS.items() if str(numbers[column]) != kernel.get(name, "None")
    }

    assert wrong == {}


def test_this_machine_is_one_of_those() -> None:
    assert platform.machine() in HEADERS
    assert seccomp.is_supported()
