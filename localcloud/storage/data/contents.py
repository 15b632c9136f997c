"""The bytes of objects. A large content is a file with a random id; a small one is a database row.

A small content is committed with its object: making a file would take longer than the rest of an upload. A file without
a row belongs to an upload that was never acknowledged; `sweep` removes it at start.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from localcloud.database import Database
from localcloud.disk import Disk
from localcloud.storage.errors import no_object
from localcloud.storage.model import Content, Object
from localcloud.storage.rules.checksums import Checksums

log = logging.getLogger(__name__)

#: The largest content that is a database row.
SMALL_BYTES = 1 << 14
_READ_BYTES = 1 << 20


class Contents:
    """A folder of content files in 256 subfolders, and a table of small contents."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.small_bytes = SMALL_BYTES
        self._folder = folder
        self._database = database
        self._disk = database.disk
        if not (folder / "ff").is_dir():
            for number in range(256):
                (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, content: str) -> str:
        """The path of a content file."""
        return f"{self._folder}/{content[:2]}/{content[2:]}"

    def new(self) -> "Sink":
        """A new, empty content to write to. Raises `DiskFull`, as its `write` does."""
        self._disk.require()
        identity = secrets.token_hex(16)
        return Sink(identity, self.path(identity), self._disk, self.small_bytes)

    def new_file(self) -> str:
        """The id of a new, empty file. Raises `DiskFull`."""
        self._disk.require()
        identity = secrets.token_hex(16)
        with self._disk.watched():
            Path(self.path(identity)).touch()
        return identity

    def reopen(self, content: str, checksums: Checksums) -> "Sink":
        """A file to write to, behind the bytes that it has, whose checksums these are."""
        return Sink(content, self.path(content), self._disk, checksums=checksums)

    def cut(self, content: str, size: int) -> None:
        """Remove the bytes of a file behind its first `size` ones."""
        os.truncate(self.path(content), size)

    def keep(self, generation: int, content: Content) -> str:
        """Store a small content within the object's transaction. Returns the value of the object's `content`."""
        if isinstance(content, str):
            return content
        self._database.execute("INSERT INTO small_contents VALUES (?, ?)", (generation, content))
        return ""

    def drop(self, stored: Object) -> list[str]:
        """Delete a small content within a transaction. Returns the files to `remove` after its commit."""
        if stored.content:
            return [stored.content]
        self._database.execute("DELETE FROM small_contents WHERE generation = ?", (stored.generation,))
        return []

    def of(self, stored: Object) -> Content:
        """An object's content; 404 when the object was deleted since it was read."""
        if stored.content:
            return stored.content
        query = "SELECT data FROM small_contents WHERE generation = ?"
        row = self._database.execute(query, (stored.generation,)).fetchone()
        if row is None:
            raise no_object(stored.bucket, stored.name)
        data: bytes = row[0]
        return data

    def open(self, content: Content) -> BinaryIO:
        """The bytes as a file; they stay readable when the content is removed meanwhile."""
        return BytesIO(content) if isinstance(content, bytes) else open(self.path(content), "rb")  # noqa: PTH123

    def size(self, content: str) -> int:
        """The size of a file in bytes; 0 for a missing one."""
        try:
            return os.stat(self.path(content)).st_size  # noqa: PTH116  (on every request: half the cost of pathlib)
        except FileNotFoundError:
            return 0

    def link(self, content: Content) -> Content:
        """A copy; a file is not copied, but gets a second id."""
        if isinstance(content, bytes):
            return content
        copy = secrets.token_hex(16)
        with self._disk.watched():
            os.link(self.path(content), self.path(copy))
        return copy

    async def concatenate(self, contents: Iterable[Content]) -> "Sink":
        """A new content, closed, of these contents in their order."""
        # Open all first: an open file stays readable when its content is removed meanwhile.
        sink = self.new()
        files = [self.open(content) for content in contents]
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

    def remove(self, contents: Iterable[Content]) -> None:
        """Remove files; an open one stays readable.

        One that cannot be removed is left to `sweep`: the change for which it goes is committed, and stays so.
        """
        for content in contents:
            if isinstance(content, str):
                try:
                    Path(self.path(content)).unlink(missing_ok=True)
                except OSError as error:
                    log.warning("%s was not removed; the next start tries again", error)

    def sweep(self, known: set[Content]) -> None:
        """Remove every file whose id is not in `known`."""
        self.remove({path.parent.name + path.name for path in self._folder.glob("??/*")} - known)


class Sink:
    """A content under construction, with its checksums: in memory while it is small, then in its file."""

    def __init__(self, identity: str, path: str, disk: Disk, small_bytes: int = 0, checksums: Checksums | None = None) -> None:
        self.checksums = checksums or Checksums()
        self._identity = identity
        self._path = path
        self._disk = disk
        self._small_bytes = small_bytes
        self._begun = self.checksums.size
        self._small = bytearray()
        self._file: BinaryIO | None = None

    @property
    def content(self) -> Content:
        """The written bytes, or the id of their file."""
        return self._identity if self._file else bytes(self._small)

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        if self._file is None and len(self._small) + len(chunk) <= self._small_bytes:
            self._small += chunk
        else:
            self._append(chunk)
        self.checksums.update(chunk)

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _append(self, chunk: bytes) -> None:
        written = self.checksums.size - self._begun
        size = written + len(chunk)
        self._disk.require(len(chunk), written)
        with self._disk.watched(size):
            if self._file is None:
                # Unbuffered: written bytes are with the operating system and survive the death of the process.
                self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115, PTH123  (closed by `close`)
                chunk = bytes(self._small) + chunk
            if self._file.write(chunk) != len(chunk):  # the rest of it found no room
                raise self._disk.full(size)


async def _append(sink: Sink, file: BinaryIO) -> None:
    while chunk := file.read(_READ_BYTES):
        sink.write(chunk)
        await asyncio.sleep(0)
