"""Downloads the input of a step: the original, exactly its task's generation, or an output of a step before."""

import gzip
import shutil
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cloud.protocols import Cloud, NoSuchObject
from shared.errors import BadFile, Vanished
from shared.model import File, Output

if TYPE_CHECKING:
    from shared.sandbox.room import Share

BLOCK_BYTES = 1 << 18
#: Names of the only encoding that is undone (RFC 9110 §8.4.1).
GZIP = ("gzip", "x-gzip")


def fetch(file: File, path: Path, cloud: Cloud, memory: "Share") -> str:
    """Download the original, undo its Content-Encoding, and return that; empty where the bytes are the file's.

    `memory` holds the size of the file, and grows by that of an unpacked copy. Raises `Vanished` for a generation that no longer
    exists, `BadFile` for a bad encoding, `Unavailable` without memory.
    """
    try:
        encoding = cloud.uploads.download(file.name, file.generation, file.size, path)
    except NoSuchObject:
        raise vanished(file, cloud) from None
    encoding = encoding.lower()
    if encoding in GZIP:
        _gunzip(path, cloud.settings.max_file_bytes, memory)
        return "gzip"
    if encoding not in ("", "identity"):
        raise BadFile(f"its Content-Encoding is {encoding}; upload it with gzip or none", "unsupported_encoding")
    return ""


def fetch_output(output: Output, path: Path, cloud: Cloud) -> None:
    """Download an output of a step before. Raises `BadFile` where it no longer exists."""
    stored = cloud.results.find(output.object)
    if stored is None or stored.crc32c != output.crc32c:
        raise BadFile(f"its input {output.object} was deleted or replaced after it was made", "no_input")
    try:
        cloud.results.download(stored.name, stored.generation, stored.size, path)
    except NoSuchObject:
        raise BadFile(f"its input {output.object} was deleted after it was made", "no_input") from None


def vanished(file: File, cloud: Cloud) -> Vanished:
    """The error for a generation that no longer exists: replaced by a newer one, or deleted."""
    live = cloud.uploads.find(file.name)
    if live and live.generation > file.generation:
        return Vanished(f"overwritten by generation {live.generation} before it was processed", "superseded")
    return Vanished("deleted before it was processed", "gone")


def _gunzip(path: Path, max_bytes: int, memory: "Share") -> None:
    """Undo the stored encoding, up to a limit: a few kilobytes of gzip can hold terabytes."""
    plain = path.with_suffix(".plain")
    try:
        with gzip.open(path) as packed, plain.open("wb") as unpacked:
            while block := packed.read(BLOCK_BYTES):
                if unpacked.tell() + len(block) > max_bytes:
                    raise BadFile(f"it has more than {max_bytes} bytes when unpacked, the limit", "too_large")
                memory.grow(len(block))
                unpacked.write(block)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise BadFile("its Content-Encoding says gzip, but its bytes are not valid gzip", "corrupt") from None
    shutil.move(plain, path)
