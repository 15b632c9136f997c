"""Large serialized batches, each in a file of its own: through SQLite's log, their bytes would be written twice.

A file is written before the commit that names it, and removed after the commit that forgets it. At start, `sweep` removes the
files that no commit names.
"""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from localcloud.disk import Disk

#: Size from which a body is a file. For a smaller one, making a file takes longer than a second write.
LARGE_BYTES = 1 << 16


class Bodies:
    """The files of a folder, by the id of their batch."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._disk = disk
        self._ids = {int(path.name) for path in folder.iterdir() if path.name.isdecimal()}

    def write(self, batch_id: int, body: bytes) -> None:
        """Write a new file, whose bytes survive the death of the process. Raises `DiskFull`, and leaves no file then."""
        self._ids.add(batch_id)
        try:
            with self._disk.watched(len(body)), open(self._path(batch_id), "wb", buffering=0) as file:  # noqa: PTH123  (half of pathlib)
                if file.write(body) != len(body):
                    raise OSError(errno.ENOSPC, "a batch was written in part")
        except BaseException:
            self.remove(batch_id)
            raise

    def read(self, batch_id: int) -> bytes:
        """The bytes of a file."""
        return Path(self._path(batch_id)).read_bytes()

    def remove(self, batch_id: int) -> None:
        """Remove the batch's file, if it has one."""
        if batch_id in self._ids:
            self._ids.remove(batch_id)
            with suppress(FileNotFoundError):
                os.unlink(self._path(batch_id))  # noqa: PTH108  (as above)

    def sweep(self, sizes: Mapping[int, int]) -> list[int]:
        """Remove every file without a size. Returns the ids of files that lack bytes, as after a power cut."""
        for batch_id in self._ids - sizes.keys():
            self.remove(batch_id)
        return [batch_id for batch_id, size in sizes.items() if self._size(batch_id) != size]

    def _size(self, batch_id: int) -> int:
        return os.stat(self._path(batch_id)).st_size if batch_id in self._ids else 0  # noqa: PTH116

    def _path(self, batch_id: int) -> str:
        return f"{self._folder}/{batch_id}"
