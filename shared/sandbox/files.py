"""The files that a child makes: how much they take, and which may be read."""

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Files and folders that one step may make.
MAX_FILES = 2000


class NotRegular(ValueError):
    """A path that is no regular file of its own: a link, a folder, a pipe."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The files of a folder: bytes of them together, and their number with that of the folders."""

    bytes: int = 0
    files: int = 0

    def exceeds(self, most_bytes: int) -> bool:
        return self.bytes > most_bytes or self.files > MAX_FILES


def taken(folder: str, process: int = 0) -> Taken:
    """The files in a folder and below, up to `MAX_FILES`, and those that this process has open without a name."""
    # Plain paths: this looks at every running child twenty times a second.
    sizes = list(itertools.islice(itertools.chain(_sizes(folder), _nameless(process)), MAX_FILES + 1))
    return Taken(sum(sizes), len(sizes))


def _sizes(folder: str) -> Iterator[int]:
    folders = [folder]
    for current in folders:
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        folders.append(entry.path)
                    yield found.st_size
        except OSError:  # deleted meanwhile
            continue


def _nameless(process: int) -> Iterator[int]:
    """The sizes of deleted files that the process holds open: they take memory until it ends."""
    descriptors = f"/proc/{process}/fd"
    try:
        for name in os.listdir(descriptors) if process else ():  # noqa: PTH208
            found = os.stat(f"{descriptors}/{name}")  # noqa: PTH116
            if not found.st_nlink and stat.S_ISREG(found.st_mode):
                yield found.st_size
    except OSError:  # it ended, or this is no Linux
        return


def is_folder(path: Path) -> bool:
    """Whether this is a folder itself: a child may put a link to any other one in its place."""
    return not path.is_symlink() and path.is_dir()


def read(path: Path, most_bytes: int) -> bytes:
    """The first bytes of a regular file. Raises `NotRegular` and `OSError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotRegular(f"{path.name} is a symbolic link") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise NotRegular(f"{path.name} is not a regular file of its own")
        return os.read(descriptor, most_bytes) if most_bytes else b""
    finally:
        os.close(descriptor)
