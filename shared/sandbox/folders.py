"""Folders for deliveries, below one of this process. What killed processes left is deleted at the start."""

import atexit
import fcntl
import itertools
import os
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
        folder = Path(tempfile.mkdtemp(dir=self._base()))
        try:
            yield folder
        finally:
            delete(folder)

    def _base(self) -> Path:
        with self._guard:
            if self._own is None or self._own[0] != os.getpid():
                _sweep()
                base = Path(tempfile.mkdtemp(prefix=PREFIX))
                _lock(base / LOCK)
                atexit.register(delete, base)
                self._own = os.getpid(), base
            return self._own[1]


def delete(folder: Path) -> None:
    """Delete a folder as far as possible, also one that a child made too deep, or unreadable, for `shutil.rmtree`."""
    numbers = itertools.count()
    folders = [folder]
    for current in folders:
        with suppress(OSError):
            current.chmod(0o700)
            for path in [Path(entry.path) for entry in os.scandir(current)]:
                if path.is_symlink() or not path.is_dir():
                    path.unlink()
                else:  # beside its parent: no path grows long
                    folders.append(path.rename(folder / f"delete-{next(numbers)}"))
    for current in reversed(folders):
        with suppress(OSError):
            current.rmdir()


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
                delete(base.parent)
