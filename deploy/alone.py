"""One command at a time uses a deployment's folder, where rendered files lie."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import Failed
from deploy.options import Options


@contextmanager
def alone(options: Options, folder: Path) -> Iterator[None]:
    """Lock the folder. The lock ends with its process, also after kill -9. Raises Failed while another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failed(_refusal(options, path)) from error
        lock.truncate(0)
        lock.write(f"{options.command} {os.getpid()}")
        lock.flush()
        yield


def _refusal(options: Options, path: Path) -> str:
    """The command that has the lock, its age, and how to end it."""
    command, _, process = path.read_text().partition(" ")
    seconds = max(0, int(time.time() - path.stat().st_mtime))
    age = f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"
    where = f"{options.project}, prefix {options.prefix},"
    return (
        f"{command}, process {process}, has been at work on {where} for {age}: wait for its end. To stop it, say "
        f"kill -INT {process}: it ends what has begun, and the lock ends with the process"
    )
