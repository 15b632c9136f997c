"""A data folder belongs to one process at a time: two clouds on the same databases would each know half of the truth."""

import fcntl
import os
from pathlib import Path
from typing import TextIO


class FolderInUse(Exception):
    """Another local cloud keeps its data where we would."""


def claim(folder: Path) -> TextIO:
    """Take a data folder, until the file is closed or the process ends. Raises `FolderInUse`."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read()
        lock.close()
        raise FolderInUse(
            f"{folder} is in use by the local cloud of process {holder}; stop that one, "
            "or let this one have its own folder and ports: --data FOLDER --port-offset 1000"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
