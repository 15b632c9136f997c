"""Tar archives, alone or within gzip, bzip2 or xz, read as streams: a header that points back has no effect."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from shared.processors.archives.bounds import Bounds
from shared.processors.archives.member import Kind, Member, Survey, copy, corrupt, is_unsafe, truncated

_BLOCK_BYTES = 1 << 16
#: The first bytes of a compressed file: its format, and the decompressor.
PACKINGS: Mapping[bytes, tuple[str, Callable[[Path], Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\0": ("xz", lzma.open),
}
_EXTENSIONS = {"gzip": "tar.gz", "bzip2": "tar.bz2", "xz": "tar.xz"}
_KINDS: Mapping[bytes, Kind] = {
    **dict.fromkeys((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE), "file"),
    tarfile.DIRTYPE: "folder",
    **dict.fromkeys((tarfile.SYMTYPE, tarfile.LNKTYPE), "link"),
    **dict.fromkeys((tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE), "device"),
}


class Tar:
    """An open tar archive. `packing` is `gzip`, `bzip2` or `xz`, or empty."""

    comment = ""

    def __init__(self, source: Path, packing: str, bounds: Bounds) -> None:
        self.format = _EXTENSIONS.get(packing, "tar")
        self.bounds = bounds
        self._source = source
        self._open = next((opener for name, opener in PACKINGS.values() if name == packing), _plain)
        self._tar: tarfile.TarFile | None = None
        self._current: tarfile.TarInfo | None = None

    def survey(self, most: int) -> Survey:
        """See `Archive.survey`. All of the file is unpacked, and every byte counts."""
        survey = Survey(Counter(), 0, 0, [])
        for member in self.members():
            self.bounds.add(member.size)
            survey.kinds[member.kind] += 1
            survey.unsafe += is_unsafe(member.path)
            if len(survey.first) < most:
                survey.first.append(member)
        return survey

    def members(self) -> Iterator[Member]:
        """See `Archive.members`."""
        with self._open(self._source) as unpacked, self._reading():
            stream: Any = _Counted(unpacked, self.bounds)
            self._tar = tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header, bufsize=_BLOCK_BYTES, errorlevel=2)  # noqa: SIM115
            number = 0
            while (info := self._tar.next()) is not None:
                number += 1
                self._tar.members = []  # type: ignore[attr-defined]  # it would keep them all
                self._current = info
                kind = _KINDS.get(info.type, "other")
                size = info.size if kind == "file" else 0
                yield Member(number, info.name, kind, size, info.mtime)

    def unpack(self, member: Member, path: Path) -> str:
        """See `Archive.unpack`. Damage of one member is damage of the stream."""
        assert self._tar is not None
        assert self._current is not None
        with self._reading():
            source = self._tar.extractfile(self._current)
            assert source is not None, member.kind
            size = copy(source, path, _BLOCK_BYTES)
        if size != member.size:
            raise truncated(self.format)
        return ""

    def is_tar(self) -> bool:
        """Whether the file, unpacked, begins with the header of a tar archive.

        Raises `BadFile` where it cannot be unpacked.
        """
        with self._open(self._source) as unpacked, self._reading():
            head = unpacked.read(tarfile.BLOCKSIZE)
        try:
            tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return False
        return True

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Translates the errors of libraries."""
        try:
            yield
        except EOFError:
            raise truncated(self.format) from None
        except tarfile.ReadError as error:
            raise (truncated if "unexpected end" in str(error) else corrupt)(self.format) from None
        except (tarfile.TarError, zlib.error, lzma.LZMAError, ValueError, OverflowError):
            raise corrupt(self.format) from None
        except RecursionError:  # a header for a header for a header …
            raise corrupt(self.format) from None
        except OSError as error:
            if error.errno:
                raise
            raise corrupt(self.format) from None  # of gzip and bz2


class _Header(tarfile.TarInfo):
    """A header whose damage is an error. `tarfile` takes a damaged one after the first for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_Header":
        try:
            info = super().fromtarfile(tarfile)
        except _DAMAGED:
            raise corrupt("tar") from None
        except _CUT:
            raise truncated("tar") from None
        if info.size < 0:  # it would lead back (CVE-2025-8194)
            raise corrupt("tar")
        return info


#: Errors of headers, which the documentation of `tarfile` leaves out.
_DAMAGED: type[Exception] = tarfile.InvalidHeaderError  # type: ignore[attr-defined]
_CUT: type[Exception] = tarfile.TruncatedHeaderError  # type: ignore[attr-defined]


class _Counted(io.RawIOBase):
    """A stream that may not be longer than an archive may unpack to."""

    def __init__(self, stream: IO[bytes], bounds: Bounds) -> None:
        self._stream = stream
        self._bounds = bounds
        self._taken = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._taken += len(data)
        self._bounds.check(self._taken)
        return data


def _plain(source: Path) -> IO[bytes]:
    return source.open("rb")
