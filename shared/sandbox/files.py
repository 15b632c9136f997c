"""The files that a child makes: how much they take, and which may be read."""

import errno
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Files and folders that one step may make.
MAX_FILES = 2000
#: Counted for files whose size the service cannot see: more than any limit.
HIDDEN_BYTES = 1 << 62


class NotRegular(ValueError):
    """A path that is no regular file of its own: a link, a folder, a pipe."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The files of a folder: bytes of them together, and their number with that of the folders."""

    bytes: int = 0
    files: int = 0

    def exceeds(self, most_bytes: int) -> bool:
        return self.bytes > most_bytes or self.files > MAX_FILES


def taken(folder: str, processes: Iterable[int] = (), *, with_mapped: bool = False) -> Taken:
    """The files in a folder and below, up to `MAX_FILES`, and those without a name that these processes hold."""
    # Plain paths: this looks at every running child twenty times a second.
    nameless = (_nameless(process, folder if with_mapped else None) for process in processes)
    sizes = list(itertools.islice(itertools.chain(_sizes(folder), *nameless), MAX_FILES + 1))
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
        except (FileNotFoundError, NotADirectoryError):  # deleted meanwhile
            continue
        except OSError:  # too deep, or without the permission to list it
            yield HIDDEN_BYTES


def _nameless(process: int, mapped_in: str | None) -> Iterator[int]:
    """The sizes of deleted files that the process holds: they take memory until it ends."""
    for thread in _listed(f"/proc/{process}/task") if process else ():
        # The first thread may have ended before the others: then it has nothing. They share all.
        place = f"/proc/{process}/task/{thread}"
        if names := _listed(f"{place}/fd"):
            open_files = [found for name in names if (found := _deleted(f"{place}/fd/{name}"))]
            yield from (found.st_size for found in open_files)
            if mapped_in and not _mapped(f"{place}/maps", mapped_in) <= {found.st_ino for found in open_files}:
                yield HIDDEN_BYTES  # closed, but mapped: its size cannot be seen
            return


def threads(process: int) -> int:
    """The number of threads of a process; 0 on a system that does not show it."""
    return len(_listed(f"/proc/{process}/task")) if process else 0


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208
    except OSError:  # the process ended, or this is no Linux
        return []


def _deleted(path: str) -> os.stat_result | None:
    """A regular file without a name; None for others, and for descriptors that were closed meanwhile."""
    with suppress(OSError):
        found = os.stat(path)  # noqa: PTH116
        if not found.st_nlink and stat.S_ISREG(found.st_mode):
            return found
    return None


def _mapped(path: str, folder: str) -> set[int]:
    """The inodes of deleted files of this folder in the memory of a process."""
    with suppress(OSError), open(path, "rb") as maps:  # noqa: PTH123
        mine = os.fsencode(folder) + b"/"
        return {int(line.split()[4]) for line in maps if line.endswith(b" (deleted)\n") and mine in line}
    return set()


def is_folder(path: str) -> bool:
    """Whether this is a folder itself: a child may put a link to any other one in its place."""
    with suppress(OSError):
        return stat.S_ISDIR(os.lstat(path).st_mode)
    return False


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
