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
#: A path has at most 4,096 bytes, and each character up to 4; the last name has at most 255 bytes.
LONG_CHARACTERS = 900


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
                while not _lock((base := Path(tempfile.mkdtemp(prefix=PREFIX))) / LOCK):
                    pass  # another process that starts now has swept it
                atexit.register(delete, base)
                self._own = os.getpid(), base
            return self._own[1]


def delete(folder: Path) -> None:
    """Delete a folder as far as possible, also one that a child made too deep, or unreadable, for `shutil.rmtree`."""
    numbers = itertools.count()
    folders = [str(folder)]  # plain paths: with `Path`, this is a tenth of a step's CPU time outside its child
    for current in folders:
        with suppress(OSError):
            os.chmod(current, 0o700)  # noqa: PTH101
            with os.scandir(current) as entries:
                listed = list(entries)
            for entry in listed:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)  # noqa: PTH108
                elif len(entry.path) < LONG_CHARACTERS:
                    folders.append(entry.path)
                else:  # beside the first ones: no path grows too long
                    folders.append(f"{folder}/delete-{next(numbers)}")
                    os.rename(entry.path, folders[-1])  # noqa: PTH104
    for current in reversed(folders):
        with suppress(OSError):
            os.rmdir(current)  # noqa: PTH106


def _lock(path: Path) -> bool:
    """Hold a lock until this process ends; False when another process holds it, or has deleted its file meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_held = os.fstat(descriptor).st_nlink > 0
    except OSError:
        is_held = False
    if not is_held:
        os.close(descriptor)
    return is_held


def _sweep() -> None:
    """Delete the folders of processes that ended without doing so themselves."""
    for base in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):
            if _lock(base):
                delete(base.parent)
