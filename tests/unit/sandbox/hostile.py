"""A processor that acts as a hijacked decoder would; the first word of the file says how."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors import Draft
from shared.processors.registry import processor

NAME = "test.hostile"
METADATA_SERVER = ("169.254.169.254", 80)
LIMITS = Limits(memory_bytes=96 << 20, seconds=20, output_bytes=1 << 20)


@dataclass(frozen=True, slots=True)
class NoOptions:
    """No options."""


def _prepare() -> None:
    """Choose a folder for temporary files, as libraries do, and open as many descriptors as 100 calls at once."""
    tempfile.gettempdir()
    for _ in range(100):
        os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


@processor(NAME, version=1, options=NoOptions, limits=LIMITS, prepare=_prepare)
def hostile(source: Path, folder: Path, _options: NoOptions) -> Iterator[Draft | Mapping[str, Any]]:
    """Do what the file says."""
    word, _, rest = source.read_text().partition(" ")
    yield from _WORK[word](source, folder, rest)


def _write(_source: Path, folder: Path, text: str) -> Iterator[Draft | Mapping[str, Any]]:
    (folder / "copy.txt").write_text(text)
    yield Draft("copy.txt", "text/plain", folder / "copy.txt", {"characters": len(text)})
    yield {"pid": os.getpid(), "parent": os.getppid()}


def _signal(_source: Path, _folder: Path, name: str) -> Iterator[Mapping[str, Any]]:
    os.abort() if name == "SIGABRT" else ctypes.string_at(0)
    yield {}


def _abort(_source: Path, _folder: Path, words: str) -> Iterator[Mapping[str, Any]]:
    """As libraries do whose allocation fails."""
    os.write(2, words.encode())
    os.abort()
    yield {}


def _exit(_source: Path, _folder: Path, status: str) -> Iterator[Mapping[str, Any]]:
    os._exit(int(status))
    yield {}


def _spin(_source: Path, _folder: Path, _rest: str) -> Iterator[Mapping[str, Any]]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass
    yield {}


def _fork(_source: Path, _folder: Path, _rest: str) -> Iterator[Mapping[str, Any]]:
    """A fork bomb."""
    while True:
        _tried(os.fork)
    yield {}


def _connect(_source: Path, _folder: Path, _rest: str) -> Iterator[Mapping[str, Any]]:
    """Ask for the account's token."""
    yield {"metadata server": _tried(lambda: socket.create_connection(METADATA_SERVER, timeout=5))}


def _sleep(_source: Path, folder: Path, _rest: str) -> Iterator[Mapping[str, Any]]:
    (folder / "begun").write_text(str(os.getpid()))
    threading.Event().wait()
    yield {}


def _nap(_source: Path, _folder: Path, seconds: str) -> Iterator[Mapping[str, Any]]:
    threading.Event().wait(float(seconds))
    yield {"seconds": float(seconds)}


def _once(source: Path, folder: Path, rest: str) -> Iterator[Mapping[str, Any]]:
    """Sleep in the first run; the second ends."""
    if folder.parent.name == "1":
        yield from _sleep(source, folder, rest)
    yield {"run": folder.parent.name}


def _relapse(source: Path, folder: Path, rest: str) -> Iterator[Mapping[str, Any]]:
    """Crash in the first run; the second has no end."""
    yield from (_exit if folder.parent.name == "1" else _spin)(source, folder, rest or "3")


def _allocate(_source: Path, _folder: Path, _rest: str) -> Iterator[Mapping[str, Any]]:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
    yield {}


def _grow(_source: Path, folder: Path, kind: str) -> Iterator[Mapping[str, Any]]:
    number = 0
    while True:
        number += 1
        path = folder / (str(number) if kind != "one" else "one")
        with path.open("ab") as file:
            file.write(b"x" if kind == "files" else bytes(1 << 16))
        if kind == "nameless":
            _KEPT.append(path.open("ab"))
            path.unlink()
            if number > 40:
                while True:
                    for file in _KEPT:
                        file.write(bytes(1 << 12))
                        file.flush()
    yield {}


def _link(_source: Path, folder: Path, target: str) -> Iterator[Draft]:
    (folder / "copy.txt").symlink_to(target)
    yield Draft("copy.txt", "text/plain", folder / "copy.txt")


def _folder(_source: Path, folder: Path, _rest: str) -> Iterator[Draft]:
    (folder / "copy.txt").mkdir()
    yield Draft("copy.txt", "text/plain", folder / "copy.txt")


def _forge(_source: Path, folder: Path, result: str) -> Iterator[Mapping[str, Any]]:
    (folder.parent / "result.json").write_text(result)
    os._exit(0)
    yield {}


def _raise(_source: Path, _folder: Path, message: str) -> Iterator[Mapping[str, Any]]:
    raise LookupError(message)
    yield {}


def _escape(source: Path, folder: Path, other: str) -> Iterator[Mapping[str, Any]]:
    service, _, secret = other.partition(" ")
    parent = int(service)
    attempts: dict[str, Callable[[], object]] = {
        "metadata server": lambda: socket.create_connection(METADATA_SERVER, timeout=5),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "fork": os.fork,
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "kill the service": lambda: os.kill(parent, signal.SIGKILL),
        "kill all": lambda: os.kill(-1, signal.SIGKILL),
        "limit the service": lambda: resource.prlimit(parent, resource.RLIMIT_CPU, (1, 1)),
        "leave the group": os.setsid,
        "change the source": lambda: source.write_text("changed"),
        "change its mode": lambda: source.chmod(0),
        "read another file": lambda: Path(secret).read_text(),
        "write beside": lambda: (folder.parent.parent / "beside").write_text("mine"),
        "read the service's variables": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "change times": lambda: os.utime(secret, (1, 1)),
        "change an attribute": lambda: os.setxattr(secret, "user.mine", b""),
        "move the service to one CPU": lambda: os.sched_setaffinity(parent, {0}),
        "a datagram to a path": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
        "pass a descriptor": lambda: socket.send_fds(socket.socketpair()[0], [b"x"], [0]),
        "blocks beyond the size": lambda: _reserve_blocks(folder / "file"),
        "hide descriptors": lambda: _call(_LIBC.prctl, 4, 0, 0, 0, 0),
        "hide memory": lambda: os.memfd_create("hidden"),
        "read a home": lambda: list(Path("/root").iterdir()),
    }
    yield {name: _tried(attempt) for name, attempt in attempts.items()}
    yield {"environment": sorted(os.environ), "descriptors": [number for number in range(256) if _is_open(number)]}


def _tried(attempt: Callable[[], object]) -> str:
    """The error; `done` without one."""
    try:
        attempt()
        return "done"
    except OSError as error:
        return os.strerror(error.errno or 0)


def _call(function: Callable[..., int], *arguments: object) -> None:
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")


def _reserve_blocks(path: Path) -> None:
    with path.open("wb") as file:
        _call(_LIBC.fallocate, file.fileno(), 1, ctypes.c_long(0), ctypes.c_long(4096))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _thread(_source: Path, _folder: Path, _rest: str) -> Iterator[Mapping[str, Any]]:
    found: list[int] = []
    thread = threading.Thread(target=found.append, args=(1,))
    thread.start()
    thread.join()
    yield {"threads": len(found)}


def _python(source: Path, folder: Path, code: str) -> Iterator[Draft | Mapping[str, Any]]:
    """Run this code; the facts are its `found`."""
    names: dict[str, Any] = {"source": source, "folder": folder, "found": {}, "tried": _tried, "libc": _LIBC}
    exec(code, names)
    yield names["found"] or {"found": None}


_LIBC = ctypes.CDLL(None, use_errno=True)
_KEPT: list[Any] = []
_WORK = {
    name.__name__.strip("_"): name
    for name in (
        _write,
        _signal,
        _abort,
        _exit,
        _spin,
        _fork,
        _connect,
        _sleep,
        _nap,
        _once,
        _allocate,
        _grow,
        _link,
        _folder,
        _forge,
        _raise,
        _escape,
        _thread,
        _python,
        _relapse,
    )
}
