"""Programs that a processor may start: where this machine has them, and how one runs.

A processor reads what a program prints, and gets its faults as exceptions. In the sandbox, each is confined before it begins.
"""

import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from shared.processors import extras

#: Of what a program prints on its error output, its last lines are kept, each cut.
MAX_LINES, MAX_LINE_BYTES = 40, 400
#: Most bytes that `printed` reads.
MAX_PRINTED_BYTES = 16 << 20


class ProgramFailed(Exception):
    """A program ended with this status.

    `complaints` are the last lines of its error output, which strangers must not see.
    """

    def __init__(self, name: str, status: int, complaints: Sequence[str]) -> None:
        super().__init__(f"{name} ended with status {status}: {' | '.join(complaints)[:400]}")
        self.status = status
        self.complaints = tuple(complaints)


class ProgramCrashed(Exception):
    """A signal ended a program. The sandbox makes a verdict of it."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} was ended by signal {number}")
        self.signal = number


@dataclass(frozen=True, slots=True)
class Running:
    """A program that runs: what it prints, and the last lines of its error output, all of them once it ended."""

    output: IO[bytes]
    complaints: deque[str]


@dataclass(frozen=True, slots=True)
class Programs:
    """The paths of those that this machine has, by name. `confine` runs in each new process, before its program."""

    paths: Mapping[str, Path]
    confine: Callable[[], None] | None = None

    def printed(self, name: str, *arguments: str) -> bytes:
        """Run a program, and return what it prints. Raises as `running` does."""
        with self.running(name, *arguments) as program:
            return program.output.read(MAX_PRINTED_BYTES)

    @contextmanager
    def running(self, name: str, *arguments: str) -> Iterator[Running]:
        """Run a program while the block reads what it prints.

        Raises `ProgramFailed` when it ends with an error, `ProgramCrashed` when a signal ends it.
        """
        import subprocess  # with `threading`, which a zygote loads in its own way
        import threading

        process = subprocess.Popen(
            [self.paths[name], *arguments],
            env={"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=self.confine,
        )
        assert process.stdout
        assert process.stderr
        complaints: deque[str] = deque(maxlen=MAX_LINES)
        listener = threading.Thread(target=_keep, args=(process.stderr, complaints))
        listener.start()
        try:
            yield Running(process.stdout, complaints)
        finally:
            process.stdout.close()
            listener.join()
            status = process.wait()
        _check(name, status, list(complaints))


def _keep(stream: IO[bytes], lines: deque[str]) -> None:
    while line := stream.readline(MAX_LINE_BYTES):
        lines.append(line.decode(errors="replace").strip())
    stream.close()


def _check(name: str, status: int, complaints: Sequence[str]) -> None:
    if status < 0 and status != -signal.SIGPIPE:  # its reader had enough
        raise ProgramCrashed(name, -status)
    if status > 0:
        raise ProgramFailed(name, status, complaints)


@cache
def find(names: tuple[str, ...], folder: str = "") -> Mapping[str, Path]:
    """The paths of those programs that this machine has: in the folder, else on the PATH, else in the extra media."""
    return {name: path for name in names if (path := _find(name, folder))}


def _find(name: str, folder: str) -> Path | None:
    if folder:
        return Path(found).resolve() if (found := shutil.which(name, path=folder)) else None
    found = shutil.which(name)
    return Path(found).resolve() if found else extras.program(name)
