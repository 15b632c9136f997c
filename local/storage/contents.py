"""The bytes of objects: one file per stored generation, named by a random id that a database row refers to.

A file without a row is an upload that never was acknowledged; `sweep` removes those at start.
"""

import asyncio
import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from local.storage.checksums import Checksums

_READ_BYTES = 1 << 20


class Contents:
    """A folder of content files, spread over 256 subfolders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not (folder / "ff").is_dir():
            for number in range(256):
                (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, content: str) -> str:
        """Where the bytes of an id are."""
        return f"{self._folder}/{content[:2]}/{content[2:]}"

    def new(self) -> "Sink":
        """A new, empty content to write to."""
        content = secrets.token_hex(16)
        return Sink(content, self.path(content))

    def size(self, content: str) -> int:
        """How many bytes are stored; 0 when the file was never made."""
        try:
            return os.stat(self.path(content)).st_size  # noqa: PTH116  (on every request: half the cost of pathlib)
        except FileNotFoundError:
            return 0

    def link(self, content: str) -> str:
        """A second id for the same bytes, without copying them."""
        copy = secrets.token_hex(16)
        os.link(self.path(content), self.path(copy))
        return copy

    async def concatenate(self, contents: Iterable[str]) -> "Sink":
        """A new content, closed, of these one after the other."""
        # All are opened first: one that is removed meanwhile can still be read to its end.
        files = [open(self.path(content), "rb") for content in contents]  # noqa: SIM115, PTH123
        sink = self.new()
        try:
            for file in files:
                await _append(sink, file)
        except BaseException:
            self.remove([sink.content])
            raise
        finally:
            sink.close()
            for file in files:
                file.close()
        return sink

    def remove(self, contents: Iterable[str]) -> None:
        """Forget bytes; whoever has the file open can still read it to the end."""
        for content in contents:
            Path(self.path(content)).unlink(missing_ok=True)

    def sweep(self, known: set[str]) -> None:
        """Remove every file that no row refers to."""
        for path in self._folder.glob("??/*"):
            if path.parent.name + path.name not in known:
                path.unlink()


class Sink:
    """A content file being written, with its checksums."""

    def __init__(self, content: str, path: str, checksums: Checksums | None = None) -> None:
        self.content = content
        self.checksums = checksums or Checksums()
        # Unbuffered: what is written is with the operating system and survives the death of the process.
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115, PTH123  (closed by `close`)

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        if self._file.write(chunk) != len(chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.checksums.update(chunk)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


async def _append(sink: Sink, file: BinaryIO) -> None:
    while chunk := file.read(_READ_BYTES):
        sink.write(chunk)
        await asyncio.sleep(0)
