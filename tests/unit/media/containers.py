"""Beginnings of binary files, made by hand or by Python's own libraries; always the same bytes."""

import gzip
import io
import sqlite3
import struct
import tarfile
import zipfile

OPEN_XML = "application/vnd.openxmlformats-officedocument"
TYPES_XML = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'


def zipped(*entries: tuple[str, bytes], is_streamed: bool = False) -> bytes:
    """A ZIP archive; streamed, its sizes stand behind each entry."""
    buffer = io.BytesIO()
    target = _Unseekable(buffer) if is_streamed else buffer
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries:
            method = zipfile.ZIP_STORED if name == "mimetype" or name.endswith((".png", ".usdc")) else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


class _Unseekable(io.RawIOBase):
    def __init__(self, buffer: io.BytesIO) -> None:
        self._buffer = buffer

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes are all that zipfile writes
        return self._buffer.write(data)


def package(main: str, *others: tuple[str, bytes], is_streamed: bool = False) -> bytes:
    """An Office file whose list of types names this main part."""
    types = TYPES_XML.format(f'<Override PartName="/main.xml" ContentType="{main}"/>').encode()
    return zipped(("[Content_Types].xml", types), ("_rels/.rels", b"<r/>"), *others, is_streamed=is_streamed)


def unordered(*names: str) -> bytes:
    """A ZIP archive with these entries, the first of them a picture that fills the first 8 KiB where there is one."""
    return zipped(*((name, bytes(range(256)) * 40 if name.endswith(".png") else b"<x/>") for name in names))


def named(kind: str) -> bytes:
    """A package whose first entry is its type: OpenDocument, EPUB."""
    return zipped(("mimetype", kind.encode()), ("content.xml", b"<x/>"))


def brands(major: bytes, *others: bytes) -> bytes:
    return (
        struct.pack(">I", 16 + 4 * len(others)) + b"ftyp" + major + bytes(4) + b"".join(others) + b"\0\0\0\x08mdat" + bytes(64)
    )


def atom(kind: bytes) -> bytes:
    return struct.pack(">I", 8 + 64) + kind + bytes(64)


def tar(style: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=style) as archive:
        member = tarfile.TarInfo("a.txt")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    return buffer.getvalue()


def old_tar() -> bytes:
    """A tar of Unix version 7: no signature, only the sum of its header."""
    header = bytearray(512)
    header[:5] = b"a.txt"
    header[100:107], header[124:135], header[136:147] = b"0000644", b"00000000003", b"00000000000"
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    return bytes(header) + b"abc" + bytes(1021)


def riff(kind: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 64) + kind + b"fmt " + bytes(56)


def matroska(kind: bytes) -> bytes:
    inner = b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82" + bytes([0x80 + len(kind)]) + kind
    return b"\x1aE\xdf\xa3" + bytes([0x80 + len(inner)]) + inner + b"\x18\x53\x80\x67" + bytes(64)


def ogg(codec: bytes) -> bytes:
    return b"OggS\0\x02" + bytes(20) + b"\x01" + bytes([len(codec)]) + codec + bytes(64)


def compound(*streams: str, first_sector: bytes = b"") -> bytes:
    """A compound file: its header, a sector, and the directory with these streams."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<II", header, 44, 1, 1)
    directory = b"".join(_stream(name) for name in ("Root Entry", *streams))
    return bytes(header) + first_sector.ljust(512, b"\xff") + directory.ljust(1024, b"\0")


def _stream(name: str) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded)) + bytes(62)


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (a)")
    data = connection.serialize()
    connection.close()
    return data


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def bitmap() -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4)


def frames() -> bytes:
    """Two frames of MP3 without a tag, 128 kbit/s at 44.1 kHz, without protection."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 2


def transport() -> bytes:
    """Four packets of an MPEG transport stream."""
    return (b"\x47\x40\x00\x10" + b"\xff" * 184) * 4
