"""Large serialized batches, each in a file of its own: through SQLite's log, their bytes would be written twice.

A file is written before the commit that names it, and removed after the commit that forgets it. At start, `sweep` removes the
files that no commit names.
"""

import os
from collections.abc import Mapping
from pathlib import Path

#: Size from which a body is a file. For a smaller one, making a file takes longer than a second write.
LARGE_BYTES = 1 << 16


class Bodies:
    """The files of a folder, by the id of their batch."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._ids = {int(path.name) for path in folder.iterdir() if path.name.isdecimal()}

    def write(self, batch_id: int, body: bytes) -> None:
        """Write a new file. Its bytes are with the operating system, and survive the death of the process."""
        self._ids.add(batch_id)
        with open(self._path(batch_id), "wb", buffering=0) as file:  # noqa: PTH123  (half the cost of pathlib)
            written = file.write(body)
        if written != len(body):
            raise OSError(f"only {written} of {len(body)} bytes of a batch were written: the disk is full")

    def read(self, batch_id: int) -> bytes:
        """The bytes of a file."""
        return Path(self._path(batch_id)).read_bytes()

    def remove(self, batch_id: int) -> None:
        """Remove the batch's file, if it has one."""
        if batch_id in self._ids:
            self._ids.remove(batch_id)
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
