"""Zip archives, read from their directory (PKWARE APPNOTE.TXT)."""

import lzma
import operator
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shared.errors import BadFile
from shared.processors.archives.bounds import Bounds
from shared.processors.archives.member import Kind, Member, Survey, copy, corrupt, is_unsafe, shown, truncated

#: §4.3.7: the fixed part of a member's local header, before its name.
_HEADER_BYTES = 30
#: §4.3.16: the end of the directory, of at most this size with its comment.
_END, _MAX_END_BYTES = b"PK\x05\x06", 22 + 0xFFFF
#: §4.4.2.2: `version made by` of Unix; its programs keep the mode in the upper half of the external attributes, the type in the
#: upper four bits of it.
_UNIX = 3
#: §4.4.4
_ENCRYPTED = 1
#: `zipfile` unpacks what it reads, of other methods than these two without a bound: a block of bzip2 may grow 20,000 times.
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BLOCK_BYTES, _SMALL_BLOCK_BYTES = 1 << 18, 1 << 12
_KINDS: dict[int, Kind] = {
    stat.S_IFLNK >> 12: "link",
    stat.S_IFDIR >> 12: "folder",
    stat.S_IFCHR >> 12: "device",
    stat.S_IFBLK >> 12: "device",
    stat.S_IFIFO >> 12: "device",
    stat.S_IFSOCK >> 12: "device",
}


class Zip:
    """An open zip archive."""

    format = "zip"

    def __init__(self, source: Path, bounds: Bounds) -> None:
        """Raises `BadFile`."""
        self.bounds = bounds
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError):
            raise corrupt("zip") if _has_end(source) else truncated("zip") from None
        self.comment = shown(self._zip.comment.decode(errors="replace"))
        _check_places(self._zip)

    def survey(self, most: int) -> Survey:
        """See `Archive.survey`. Sizes are those that the directory states.

        Members are counted in lists of numbers: an object for each would take as long as the directory takes to be read.
        """
        infos = self._zip.filelist
        self.bounds.add(sum([info.file_size for info in infos]), len(infos))
        encrypted = sum([info.flag_bits & _ENCRYPTED for info in infos])
        first = list(islice(self.members(), most))
        return Survey(_kinds(infos), encrypted, _unsafe([info.filename for info in infos]), first)

    def members(self) -> Iterator[Member]:
        """See `Archive.members`."""
        for number, info in enumerate(self._zip.filelist, 1):
            kind = _KINDS.get(_type(info)) or ("folder" if info.filename[-1:] == "/" else "file")
            yield Member(number, info.filename, kind, info.file_size, info.date_time, bool(info.flag_bits & _ENCRYPTED))

    def unpack(self, member: Member, path: Path) -> str:
        """See `Archive.unpack`. Members are independent: the damage of one is its own."""
        info = self._zip.filelist[member.number - 1]
        if member.is_encrypted:
            return "password"
        try:
            with self._zip.open(info) as source:
                size = copy(source, path, _BLOCK_BYTES if info.compress_type in _BOUNDED else _SMALL_BLOCK_BYTES)
        except (NotImplementedError, MemoryError):  # a dictionary of 4 GB, which LZMA takes at once
            return "unsupported"
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError):
            return "corrupt"
        except OSError as error:
            if error.errno:
                raise
            return "corrupt"  # of bz2
        return "" if size == info.file_size else "corrupt"


def _type(info: zipfile.ZipInfo) -> int:
    return (info.external_attr >> 28) * (info.create_system == _UNIX)


def _kinds(infos: list[zipfile.ZipInfo]) -> Counter[Kind]:
    kinds = Counter[Kind]()
    folders = Counter([_type(info) for info in infos if info.filename[-1:] == "/"])
    # Written out: 10,000 calls take as long as everything else here.
    for found, number in Counter([info.external_attr >> 28 if info.create_system == _UNIX else 0 for info in infos]).items():
        if found in _KINDS:
            kinds[_KINDS[found]] += number
        else:
            kinds += Counter[Kind]({"folder": folders[found], "file": number - folders[found]})
    return kinds


def _unsafe(paths: list[str]) -> int:
    joined = "\n".join(["", *paths])
    may_be = any(mark in joined for mark in ("..", ":", "\n/", "\n\\"))
    return sum(map(is_unsafe, paths)) if may_be else 0


def _check_places(opened: zipfile.ZipFile) -> None:
    """Refuse members that share bytes: a zip bomb unpacks the same ones many times (D. Fifield, WOOT 2019)."""
    starts = sorted([info.header_offset for info in opened.filelist])
    ends = sorted([info.header_offset + _HEADER_BYTES + info.compress_size for info in opened.filelist])
    if not all(map(operator.le, ends, starts[1:])):  # they are disjoint just when the k-th end comes before the next start
        raise BadFile("members of the zip archive overlap, as in a zip bomb", "overlapping_members")
    if starts and (starts[0] < 0 or ends[-1] > opened.start_dir):
        raise corrupt("zip")


def _has_end(source: Path) -> bool:
    with source.open("rb") as file:
        file.seek(max(0, source.stat().st_size - _MAX_END_BYTES))
        return _END in file.read()
