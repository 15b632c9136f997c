"""A member of an archive, and the form of the readers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal, Protocol

from shared.errors import BadFile
from shared.processors.archives.bounds import Bounds

#: `link`: symbolic or hard; `device`: also pipes and sockets; `other`: a type that only one program writes.
Kind = Literal["file", "folder", "link", "device", "other"]
#: Longest path and comment in facts, in characters.
MAX_SHOWN = 1000


@dataclass(slots=True)
class Member:
    """A member; `number` counts from 1, and folders count too.

    `size` is in bytes, unpacked, as the archive states it. `stamp` is its time: in zip a date and time without a zone, in tar
    seconds since 1970.
    """

    number: int
    path: str
    kind: Kind
    size: int
    stamp: tuple[int, int, int, int, int, int] | float
    is_encrypted: bool = False

    @property
    def modified(self) -> str:
        """Its time in ISO 8601, with `Z` only where the archive has no local time; empty where it is none."""
        try:
            if isinstance(self.stamp, tuple):
                return datetime(*self.stamp).isoformat()  # noqa: DTZ001  (zip stores no zone)
            return datetime.fromtimestamp(int(self.stamp), UTC).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError, OSError):
            return ""


@dataclass(slots=True)
class Survey:
    """All members of an archive: how many of each kind, encrypted ones, unsafe paths; and the first ones."""

    kinds: Counter[Kind]
    encrypted: int
    unsafe: int
    first: list[Member]


class Archive(Protocol):
    """An open archive, whose members its `bounds` count. `comment` is plain text, empty for none."""

    format: str
    comment: str
    bounds: Bounds

    def survey(self, most: int) -> Survey:
        """Count all members, and keep so many of the first ones. Raises `BadFile`, also above a cap."""

    def members(self) -> Iterator[Member]:
        """Its members in their order. Raises `BadFile`."""

    def unpack(self, member: Member, path: Path) -> str:
        """Write the bytes of the current member, a file, to this path, or say why that cannot be done: a reason.

        Raises `BadFile` for damage that ends the archive.
        """


def copy(source: IO[bytes], path: Path, block_bytes: int) -> int:
    """Write a stream to a file, and count its bytes."""
    size = 0
    with path.open("wb") as target:
        while block := source.read(block_bytes):
            size += target.write(block)
    return size


def is_unsafe(path: str) -> bool:
    """Whether a path leads out of the folder that an archive is unpacked into, on Unix or on Windows."""
    if path[:1] in ("/", "\\") or path[1:2] == ":":
        return True
    return ".." in path and ".." in path.replace("\\", "/").split("/")


def shown(text: str) -> str:
    """A text of the archive for people and JSON: in one line, printable, of limited length."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:MAX_SHOWN])


def corrupt(kind: str) -> BadFile:
    """The refusal of a damaged archive."""
    return BadFile(f"the {kind} archive is damaged and cannot be read", "corrupt")


def truncated(kind: str) -> BadFile:
    """The refusal of an archive that ends too early."""
    return BadFile(f"the {kind} archive ends before its last member does; send it whole", "truncated")
