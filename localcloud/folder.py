"""The data folder: the mark that makes it one, the layout of its files, and the process that uses it.

Only a new, an empty or a marked folder is used, so that nothing else is ever overwritten or deleted. The folder is
private (0700): it holds the keys of service accounts.
"""

import fcntl
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import TextIO

from localcloud.errors import CannotRun

#: Version of the files and databases. Another version is refused: there is no migration before release 1.0.
LAYOUT = 2
MARK = "localcloud.json"
_LOCK = "lock"
#: Folders made before layout 1 have no mark, but a lock file and one of these.
_DATABASES = ("storage/storage.sqlite", "pubsub/pubsub.sqlite", "tasks/tasks.sqlite")


class FolderInUse(CannotRun):
    """Another local cloud uses the folder: two processes on one set of databases would corrupt each other's state."""


class NotADataFolder(CannotRun):
    """The folder holds something else."""


class WrongLayout(CannotRun):
    """The folder was written by another version of the local cloud."""

    def __init__(self, folder: Path, found: int) -> None:
        versions = f"layout {found}, and this version of the local cloud needs layout {LAYOUT}"
        super().__init__(
            f"the data folder {folder} has {versions}; delete the folder", f"reset --data {shlex.quote(str(folder))}"
        )


def prepare(folder: Path) -> Path:
    """Make and mark the folder, or check its mark; gives the resolved path. Raises `NotADataFolder`, `WrongLayout`."""
    folder = _resolved(folder)
    if reason := _protection(folder):
        raise NotADataFolder(f"{folder} cannot be a data folder: {reason}; choose another one: --data FOLDER")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check(folder)
        folder.chmod(0o700)
    except OSError as error:
        raise NotADataFolder(
            f"{folder} cannot be a data folder ({error.strerror}); choose another one: --data FOLDER"
        ) from None
    return folder


def claim(folder: Path) -> TextIO:
    """Prepare the folder and lock it, until the file is closed or the process ends. Raises `FolderInUse` too."""
    return _lock(prepare(folder))


def delete(folder: Path) -> bool:
    """Delete a data folder of any layout; False when it does not exist. Raises `CannotRun` for every other folder."""
    folder = _resolved(folder)
    try:
        return _delete(folder)
    except OSError as error:
        raise CannotRun(f"{folder} cannot be deleted ({error.strerror}); delete it yourself, or check --data FOLDER") from None


def _delete(folder: Path) -> bool:
    if not folder.exists():
        return False
    if reason := _protection(folder):
        raise CannotRun(f"{folder} is not deleted: {reason}; give a data folder: --data FOLDER")
    if _layout(folder) is None:
        raise NotADataFolder(f"{folder} is not deleted: it has no {MARK}, the mark of a data folder; check --data FOLDER")
    with _lock(folder):
        for path in contents(folder):
            _remove(path)
        folder.rmdir()
    return True


def contents(folder: Path) -> list[Path]:
    """The folder's files and folders, the mark last: after an interrupted deletion the rest is still a data folder."""
    return sorted(folder.iterdir(), key=lambda path: path.name == MARK)


def _resolved(folder: Path) -> Path:
    return Path(os.path.realpath(folder))  # Path.resolve() raises for a loop of links, in some versions of Python


def _check(folder: Path) -> None:
    layout = _layout(folder)
    if layout is None and any(folder.iterdir()):
        found = f"{folder} is not empty and has no {MARK}, the mark of a data folder"
        raise NotADataFolder(f"{found}; choose a new or an empty folder: --data FOLDER")
    if layout is None:
        _mark(folder)
    elif layout != LAYOUT:
        raise WrongLayout(folder, layout)


def _mark(folder: Path) -> None:
    try:
        (folder / MARK).write_text(json.dumps({"layout": LAYOUT}))
    except OSError:  # a full disk; an empty mark is that of another layout
        (folder / MARK).unlink(missing_ok=True)
        raise


def _layout(folder: Path) -> int | None:
    """The version of the folder's layout; 0 before marks existed, None for a folder that is not a data folder."""
    mark = folder / MARK
    if mark.is_file():
        try:
            return int(json.loads(mark.read_text())["layout"])
        except (ValueError, TypeError, KeyError, OverflowError):
            return 0
    is_old = (folder / _LOCK).exists() and any((folder / name).exists() for name in _DATABASES)
    return 0 if is_old else None


def _protection(folder: Path) -> str:
    """The reason why this folder is never used or deleted, even with a mark; "" for other folders."""
    homes = {
        "the home folder": Path(os.path.expanduser("~")),  # noqa: PTH111  (Path.home() raises without an account)
        "the project": Path(__file__).parent.parent,
        "the current folder": Path.cwd(),
    }
    for name, place in homes.items():
        if place.resolve().is_relative_to(folder):
            return f"it is or contains {name}"
    return ""


def _lock(folder: Path) -> TextIO:
    lock = (folder / _LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read()
        lock.close()
        found = f"{folder} is in use by the local cloud of process {holder}; stop it"
        raise FolderInUse(f"{found}, or use another folder and other ports: --data FOLDER --port-offset 1000") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
