"""The service's end of the zygote: its process, its channel, and calls over it."""

import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from shared.sandbox import linux, messages
from shared.sandbox.confinement import HEAP_STEP_BYTES
from shared.sandbox.messages import Call

ROOT = Path(__file__).resolve().parent.parent.parent
#: A child takes its pages anew: one growing heap with huge pages saves half of the page faults. Each arena reserves address space.
_ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_TOP_PAD_": str(HEAP_STEP_BYTES),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_ARENA_MAX": "2",
    "LC_ALL": "C.UTF-8",
    "PATH": os.defpath,
    "TZ": "UTC",
}


class ZygoteDied(ConnectionError):
    """The zygote ended; with it all of its children."""


class Zygote:
    """A running zygote. It ends when this process does, or is forked away from it."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        """Start it; meanwhile it prepares the processors of these names, each declared by its module."""
        self._owner = os.getpid()
        self._is_ready = False
        self._sending = threading.Lock()
        self._channel, theirs = socket.socketpair()
        with theirs:
            arguments = ["-B", "-m", "shared.sandbox.zygote", str(theirs.fileno()), *itertools.chain(*modules.items())]
            self._process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        if linux.IS_LINUX:
            linux.prctl(linux.PR_SET_DUMPABLE, 0)  # children have the same user: this process's memory is not theirs to read

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it serves this process."""
        return self._owner == os.getpid() and self._process.poll() is None

    def call(self, call: Call) -> socket.socket:
        """Begin a call, and return the socket of its messages; closing that ends the child. Raises `ZygoteDied`."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._sending:
                self._greet()
                messages.send_call(self._channel, call, theirs.fileno())
        except OSError as error:
            ours.close()
            raise ZygoteDied from error
        return ours

    def stop(self) -> None:
        """End it and its children, at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self._channel.close()

    def _greet(self) -> None:
        """Wait until it has loaded the processors, the first time."""
        if self._is_ready:
            return
        if self._channel.recv(1) != messages.READY:
            raise ZygoteDied
        self._is_ready = True
