"""Small archives, made by hand where no library writes such."""

import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Mapping

WRITTEN = (2024, 1, 31, 12, 0, 0)
#: 2024-01-31T12:00:00Z
SECONDS = 1_706_702_400


def zipped(
    members: Mapping[str, bytes],
    comment: bytes = b"",
    compression: int = zipfile.ZIP_DEFLATED,
    modes: Mapping[str, int] | None = None,
) -> bytes:
    """A zip archive as on Unix; `modes` has the types and rights of some members."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        archive.comment = comment
        for name, content in members.items():
            info = zipfile.ZipInfo(name, WRITTEN)
            info.compress_type, info.create_system = compression, 3
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return data.getvalue()


def directory(data: bytes) -> int:
    """The place of the directory in a zip archive without a comment."""
    return int(struct.unpack("<I", data[-6:-2])[0])


def patched(data: bytes, place: int, new: bytes) -> bytes:
    """The bytes with some others at a place."""
    return data[:place] + new + data[place + len(new) :]


def encrypted(data: bytes) -> bytes:
    """A zip archive of one member, marked as encrypted in its header and in the directory."""
    return patched(patched(data, 6, b"\x01"), directory(data) + 8, b"\x01")


def overlapping(copies: int = 3) -> bytes:
    """A zip archive whose directory lists one member several times, each under a name of its own."""
    data = zipped({"a": b"kernel" * 100})
    entry, end = data[directory(data) : -22], data[-22:]
    entries = b"".join(entry[:-1] + bytes([ord("a") + number]) for number in range(copies))
    counts = struct.pack("<HHI", copies, copies, len(entries))
    return data[: directory(data)] + entries + patched(end, 8, counts)


def tar_member(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mtime = kind, len(data), target, SECONDS
    return info, data


def tarred(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def with_checksum(header: bytes) -> bytes:
    """A header of tar with its right checksum (POSIX ustar)."""
    blank = patched(header, 148, b" " * 8)
    return patched(blank, 148, b"%06o\0 " % sum(blank))
