"""The disk of a data folder: a full one refuses at once what needs room, and an outage has one line in the log.

A reserve is kept for what frees room or ends work: deletions, acknowledgements, the ends of tasks.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from localcloud.errors import ApiError, CannotRun

log = logging.getLogger(__name__)

#: Room that requests leave free.
RESERVE_BYTES = 8 << 20
#: How soon work that waits for room is tried again.
RETRY_SECONDS = 1.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskFull(ApiError):
    """A write found no room and stored nothing; it succeeds when there is room again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "RESOURCE_EXHAUSTED", f"The disk of the local cloud is full: {folder}. Free some space on it, then try again."
        )


class Disk:
    """The disk of one data folder.

    An outage ends when there is room for the largest content that it refused, and for the reserve twice: with less, each try
    would be an outage of its own. The room is not measured at a refusal: another program may free some just then.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._enough_bytes = 0  # 0: no outage

    @property
    def is_full(self) -> bool:
        """Whether an outage lasts."""
        return self._enough_bytes > 0

    def require(self, size: int = 0, written: int = 0) -> None:
        """Raise `DiskFull` unless so many bytes fit behind the `written` ones of a content, with the reserve left over."""
        if self._free_bytes() < size + RESERVE_BYTES:
            raise self.full(written + size)

    def full(self, size: int = 0) -> DiskFull:
        """The refusal of a write without room, for a content of so many bytes; the first one of an outage is logged."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a start, which fails and says so, or a checkpoint, which is made again
            return DiskFull(self._folder)
        if not self.is_full:
            log.error("the disk of %s is full: what needs room is refused until there is some again", self._folder)
            loop.call_later(RETRY_SECONDS, self._look, loop)
        self._enough_bytes = max(self._enough_bytes, size + 2 * RESERVE_BYTES)
        return DiskFull(self._folder)

    @contextmanager
    def watched(self, size: int = 0) -> Iterator[None]:
        """Raise `DiskFull` for a write of the block that finds no room, for a content of so many bytes."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise self.full(size) from None
            raise

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._free_bytes() < self._enough_bytes:
            loop.call_later(RETRY_SECONDS, self._look, loop)
            return
        self._enough_bytes = 0
        log.warning("the disk of %s has room again", self._folder)

    def _free_bytes(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize


_DISKS: WeakValueDictionary[Path, Disk] = WeakValueDictionary()


def disk_of(folder: Path) -> Disk:
    """The disk of a data folder; all services on the folder share it."""
    return _DISKS.setdefault(folder, Disk(folder))


@contextmanager
def room_to_start(folder: Path) -> Iterator[None]:
    """Raise `CannotRun` when the start of the local cloud finds no room."""
    try:
        with Disk(folder).watched():
            yield
    except DiskFull:
        remedy = "free some space on it, or use a folder on another disk: --data FOLDER"
        raise CannotRun(f"the local cloud cannot start: the disk of {folder} is full; {remedy}") from None
