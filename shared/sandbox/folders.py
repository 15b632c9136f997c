"""Folders for deliveries, below one of this process. What killed processes left is deleted at the start."""

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "sluice-"
LOCK = "lock"


class Folders:
    """The folders of one process, which holds a lock on them while it lives."""

    def __init__(self) -> None:
        self._own: tuple[int, Path] | None = None
        self._guard = threading.Lock()

    @contextmanager
    def new(self) -> Iterator[Path]:
        """An empty folder, deleted at the end."""
        with tempfile.TemporaryDirectory(dir=self._base(), ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def _base(self) -> Path:
        with self._guard:
            if self._own is None or self._own[0] != os.getpid():
                _sweep()
                base = Path(tempfile.mkdtemp(prefix=PREFIX))
                _lock(base / LOCK)
                atexit.register(shutil.rmtree, base, ignore_errors=True)
                self._own = os.getpid(), base
            return self._own[1]


def _lock(path: Path) -> bool:
    """Hold a lock until this process ends; False when another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    return True


def _sweep() -> None:
    """Delete the folders of processes that ended without doing so themselves."""
    for base in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):
            if _lock(base):
                shutil.rmtree(base.parent, ignore_errors=True)
