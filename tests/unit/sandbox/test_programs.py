"""Programs that a processor starts: only the declared ones, confined like a child, and gone when it is."""

import errno
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.errors import BadFile, ProcessorFailed
from shared.model import recipe
from shared.sandbox.elf import loader_of
from shared.sandbox.outcome import Ran
from shared.sandbox.service import Sandbox
from tests.eventually import eventually
from tests.unit.sandbox import starter
from tests.unit.sandbox.declared import declared

Start = Callable[..., Ran]
DENIED, FORBIDDEN = os.strerror(errno.EACCES), os.strerror(errno.EPERM)
PYTHON = Path(sys.executable).resolve()
#: Python ignores this signal unless told otherwise; other programs do not.
FATAL = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)"
#: Begins each program: `found` is printed at its end.
HEAD = """
import json, os, sys
child, folder, found = int(sys.argv[1]), sys.argv[2], {}
def tried(attempt):
    try:
        attempt()
        return "done"
    except OSError as error:
        return os.strerror(error.errno)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")


@pytest.fixture(scope="module")
def folder_of_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a link to Python, as an installation has it."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "python3").symlink_to(PYTHON)
    return folder


@pytest.fixture(scope="module")
def sandbox(folder_of_programs: Path) -> Iterator[Sandbox]:
    with declared():
        shared = Sandbox([starter.NAME], 1 << 30, str(folder_of_programs))
        shared.prepare()
    yield shared
    shared.stop()


@pytest.fixture
def start(sandbox: Sandbox, tmp_path: Path) -> Start:
    """Runs code in a child, and code in its program; keywords are limits."""

    def ran(here: str, program: str = "", **limits: Any) -> Ran:
        place = Path(tempfile.mkdtemp(prefix="work", dir=tmp_path))
        source, folder = place / "source", place / "folder"
        there = f"{starter.BETWEEN}{HEAD}{program}\nprint(json.dumps(found))" if program else ""
        source.write_text(here + there)
        folder.mkdir()
        exact = recipe("step", starter.NAME, 1, {})
        return sandbox.run(exact, source, folder, replace(starter.LIMITS, **limits))

    return ran


def started(sandbox: Sandbox) -> list[psutil.Process]:
    """All processes below the zygote."""
    assert sandbox.zygote_pid
    return psutil.Process(sandbox.zygote_pid).children(recursive=True)


def both(sandbox: Sandbox) -> list[psutil.Process] | None:
    """A child and its program, once both run."""
    found = started(sandbox) if sandbox.zygote_pid else []
    return found if len(found) == 2 else None


def test_a_program_reads_and_writes_as_its_child_may(start: Start) -> None:
    code = """
open(folder + "/made", "w").write("made")
found["made"] = os.listdir(folder)
found["environment"] = sorted(os.environ)
found["descriptors"] = [number for number in range(64) if tried(lambda: os.fstat(number)) == "done"]
"""
    ran = start("found['known'] = sorted(programs.paths)", code)

    facts = ran.made().facts
    assert facts["known"] == ["python3"]
    assert facts["printed"] == {"made": ["made"], "environment": ["LC_ALL"], "descriptors": [0, 1, 2]}


def test_a_program_reaches_nothing_and_starts_nothing(start: Start, tmp_path: Path) -> None:
    (secret := tmp_path / "secret").write_text("of another file")
    code = f"""
import resource, signal, socket, subprocess
attempts = {{
    "metadata server": lambda: socket.create_connection(("169.254.169.254", 80), timeout=5),
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "fork": os.fork,
    "another program": lambda: os.execv("/bin/true", ["true"]),
    "another program in a process": lambda: subprocess.run(["/bin/true"]),
    "kill the child": lambda: os.kill(child, signal.SIGKILL),
    "kill all": lambda: os.kill(-1, signal.SIGKILL),
    "leave the group": os.setsid,
    "read another file": lambda: open({str(secret)!r}).read(),
    "write beside": lambda: open({str(tmp_path / "beside")!r}, "w"),
    "read the child's memory": lambda: open(f"/proc/{{child}}/mem", "rb"),
}}
found |= {{name: tried(attempt) for name, attempt in attempts.items()}}
"""
    found = start("", code).made().facts["printed"]

    assert len(found) == 11
    assert set(found.values()) <= {DENIED, FORBIDDEN}


@pytest.mark.parametrize("path", ["/bin/true", shutil.which("env") or "/usr/bin/env"])
def test_a_child_starts_no_other_program(start: Start, path: str) -> None:
    code = f"""
import os, subprocess
try:
    subprocess.run([{path!r}])
    found["tried"] = "done"
except OSError as error:
    found["tried"] = os.strerror(error.errno)
"""
    assert start(code).made().facts == {"tried": DENIED}


def test_a_child_starts_no_program_that_it_made(start: Start) -> None:
    code = """
import os, subprocess
made = os.open(folder / "made", os.O_WRONLY | os.O_CREAT, 0o755)
os.write(made, open("/bin/true", "rb").read())
os.close(made)
try:
    subprocess.run([folder / "made"])
    found["tried"] = "done"
except OSError as error:
    found["tried"] = os.strerror(error.errno)
"""
    assert start(code).made().facts == {"tried": DENIED}


def test_a_child_forks_plainly_and_in_no_other_way(start: Start) -> None:
    code = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
for name, flags in {"new users": 0x10000000, "new network": 0x40000000, "a sibling": 0x8000, "untraced": 0x800000}.items():
    found[name] = [libc.syscall(number, flags | 17, 0, 0, 0, 0), ctypes.get_errno()]
if not (fork := os.fork()):
    os._exit(0)
found["fork"] = os.waitpid(fork, 0)[1]
"""
    facts = dict(start(code).made().facts)

    assert facts.pop("fork") == 0
    assert len(facts) == 4
    assert set(map(tuple, facts.values())) == {(-1, errno.EPERM)}


def test_a_program_cannot_outlive_its_child_by_choice(start: Start) -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
found["never"] = [libc.prctl(1, 0, 0, 0, 0), ctypes.get_errno()]
found["later"] = [libc.prctl(1, 15, 0, 0, 0), ctypes.get_errno()]
"""
    assert start("", code).made().facts["printed"] == {"never": [-1, errno.EPERM], "later": [-1, errno.EPERM]}


def test_a_program_has_the_limits_of_its_step(start: Start) -> None:
    code = """
import resource
names = {"memory": resource.RLIMIT_DATA, "core": resource.RLIMIT_CORE, "descriptors": resource.RLIMIT_NOFILE}
found |= {name: resource.getrlimit(one) for name, one in names.items()}
"""
    heap = (2 * 96 + 16) << 20

    found = start("", code).made().facts["printed"]

    assert found == {"memory": [heap, heap], "core": [0, 0], "descriptors": [64, 64]}


def test_the_memory_and_the_time_of_a_program_count(start: Start) -> None:
    code = """
import time
kept = bytearray(64 << 20)
while time.process_time() < 1:
    pass
"""
    idle, busy = start("", "pass"), start("", code)

    assert busy.peak_bytes > idle.peak_bytes + (50 << 20)
    assert busy.cpu_seconds > 1


def test_a_program_that_takes_more_than_the_memory_of_the_step_is_stopped(start: Start) -> None:
    ran = start("", "import signal\nkept = bytearray(150 << 20)\nsignal.pause()")

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "limit_memory"


def test_a_child_and_its_program_share_the_memory_of_the_step(start: Start) -> None:
    ran = start("kept = bytearray(70 << 20)", "import signal\nkept = bytearray(70 << 20)\nsignal.pause()")

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "limit_memory"


def test_at_the_time_limit_the_program_ends_too(start: Start, sandbox: Sandbox) -> None:
    ran = start("", "while True: pass", seconds=2)

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "limit_time"
    assert started(sandbox) == []
    assert ran.cpu_seconds > 0.2, "the program's time is the step's"


def test_nothing_runs_when_the_outcome_is_known(start: Start, sandbox: Sandbox) -> None:
    code = """
import os, signal
for _ in range(2):
    if not os.fork():
        os.fork()
        while True:
            signal.pause()
found["left"] = True
"""
    assert start(code).made().facts == {"left": True}
    assert started(sandbox) == []


def test_a_fork_bomb_is_stopped(start: Start, sandbox: Sandbox) -> None:
    ran = start("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code == "limit_memory"
    assert started(sandbox) == []


@pytest.mark.parametrize(
    ("program", "reason", "message"),
    [
        ("os.abort()", "decoder_crashed", "its decoder crashed with SIG"),
        ("import ctypes; ctypes.string_at(0)", "decoder_crashed", "its decoder crashed with SIGSEGV"),
        (f"{FATAL}; open(folder + '/large', 'wb').write(bytes(8 << 20))", "limit_output", "its outputs took more than "),
    ],
)
def test_a_program_that_crashes_is_the_files_fault(start: Start, program: str, reason: str, message: str) -> None:
    ran = start("", program)

    assert isinstance(ran.outcome, BadFile), ran.outcome
    assert ran.outcome.code == reason
    assert ran.outcome.message.startswith(message)


def test_a_program_that_ends_with_an_error_is_the_processors_fault(start: Start) -> None:
    ran = start("", "sys.exit('not there')")

    assert isinstance(ran.outcome, ProcessorFailed)
    assert "python3 ended with status 1: not there" in ran.outcome.message


def test_with_the_zygote_the_program_ends_too(folder_of_programs: Path, tmp_path: Path) -> None:
    own = Sandbox([starter.NAME], 1 << 30, str(folder_of_programs))
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.write_text(starter.BETWEEN + "import signal\nsignal.pause()")
    folder.mkdir()
    exact = recipe("step", starter.NAME, 1, {})
    thread = threading.Thread(target=own.run, args=(exact, source, folder, replace(starter.LIMITS, seconds=30)))
    thread.start()
    first = eventually(lambda: both(own))
    assert own.zygote_pid
    psutil.Process(own.zygote_pid).kill()

    eventually(lambda: not any(process.is_running() for process in first))
    second = eventually(lambda: both(own))
    own.stop()
    thread.join(timeout=120)
    eventually(lambda: not any(process.is_running() for process in second))


def test_the_loader_of_a_program_is_found(tmp_path: Path) -> None:
    (script := tmp_path / "script").write_text("#!/bin/sh\n")
    (short := tmp_path / "short").write_bytes(b"\x7fELF\x02\x01")

    assert Path(loader_of("/bin/sh")).name.startswith("ld-")
    assert (loader_of(str(script)), loader_of(str(short))) == ("", "")
