"""Getting a task's file onto disk: exactly the generation it names, whole, and as its owner would see it."""

import gzip
import shutil
import zlib
from pathlib import Path

from shared.cloud.protocols import Cloud, NoSuchObject
from shared.errors import BadFile, Vanished
from shared.model import File

BLOCK_BYTES = 1 << 18


def fetch(file: File, path: Path, cloud: Cloud) -> None:
    """Download the file. Raises `Vanished` when this generation is no longer there, `BadFile` for an encoding we cannot undo."""
    try:
        encoding = cloud.uploads.download(file.name, file.generation, file.size, path)
    except NoSuchObject:
        raise _vanished(file, cloud) from None
    encoding = encoding.lower()
    if encoding in ("gzip", "x-gzip"):  # RFC 9110 §8.4.1
        _gunzip(path, cloud.settings.max_file_bytes)
    elif encoding not in ("", "identity"):
        raise BadFile(f"its Content-Encoding is {encoding}; gzip and none can be undone", "unsupported_encoding")


def _vanished(file: File, cloud: Cloud) -> Vanished:
    live = cloud.uploads.find(file.name)
    if live and live.generation > file.generation:
        return Vanished(f"overwritten by generation {live.generation} before it was processed", "superseded")
    return Vanished("deleted before it was processed", "gone")


def _gunzip(path: Path, max_bytes: int) -> None:
    """Undo the stored encoding, up to a size: a few kilobytes of gzip can stand for terabytes."""
    plain = path.with_suffix(".plain")
    try:
        with gzip.open(path) as packed, plain.open("wb") as unpacked:
            while block := packed.read(BLOCK_BYTES):
                if unpacked.tell() + len(block) > max_bytes:
                    raise BadFile(f"it has more than {max_bytes} bytes when unpacked", "too_large")
                unpacked.write(block)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise BadFile("its Content-Encoding says gzip, its bytes do not", "corrupt") from None
    shutil.move(plain, path)
