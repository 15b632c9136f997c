"""Signatures of binary files: those that the library `filetype` lacks, and its answers put right."""

import re

#: offset, bytes → type
_SIGNATURES = (
    (0, b"PAR1", "application/vnd.apache.parquet"),
    (0, b"ARROW1\0\0", "application/vnd.apache.arrow.file"),
    (0, b"Obj\x01", "application/vnd.apache.avro"),
    (0, b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (0, b"CDF\x01", "application/x-netcdf"),
    (0, b"CDF\x02", "application/x-netcdf"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (0, b"v/1\x01", "image/x-exr"),
    (0, b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (40, b" EMF\0\0\x01\0", "image/emf"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"OTTO", "font/otf"),
    (0, b"\0\x01\0\0\0", "font/ttf"),
    (0, b"true\0", "font/ttf"),
    (0, b"ttcf\0", "font/collection"),
    (0, b"caff\0\x01", "audio/x-caf"),
    (0, b"wvpk", "audio/x-wavpack"),
    (0, b"MAC ", "audio/x-ape"),
    (0, b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (0, b"\x1f\x9d", "application/x-compress"),
)
#: Answers of `filetype` → the same format as people ask for it. An animated PNG is a PNG (PNG, third edition, §4.9).
_NAMES = {"image/apng": "image/png"}
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_PDF = re.compile(rb"%PDF-\d\.\d\s")
#: The header of a PDF may come after other bytes (ISO 32000-2, annex I.2).
_PDF_BYTES = 1024
_TAR_BYTES = 512
_TS_BYTES = 188


def by_signature(head: bytes) -> str | None:
    """The type by a signature, else None. Of a container with files or tracks it is that of the container alone."""
    import filetype  # here, so that pipeline.toml can be checked with the standard library alone

    if not head:
        return None
    if found := next((kind for at, mark, kind in _SIGNATURES if head.startswith(mark, at)), None):
        return found
    kind = filetype.guess_mime(head)
    if kind is None or _is_chance(kind, head):
        return _by_structure(head)
    if kind == "audio/ogg" and b"\x80theora" in head:
        return "video/ogg"
    return _NAMES.get(kind, str(kind))


def has_late_pdf(head: bytes) -> bool:
    """Whether the header of a PDF comes after other bytes; an object follows, so that it is not only mentioned."""
    found = _PDF.search(head, 0, _PDF_BYTES)
    return found is not None and b" obj" in head[found.end() :]


def _is_chance(kind: str, head: bytes) -> bool:
    """Whether two to four bytes are those of a signature, and the rest of the header is not."""
    if kind == "image/bmp":
        return int.from_bytes(head[14:18], "little") not in _BMP_HEADERS
    if kind == "image/x-icon":
        return not (head[4:5] > b"\0" and head[5:6] == b"\0" and head[9:10] == b"\0")
    return False


def _by_structure(head: bytes) -> str | None:
    if _is_java(head):
        return "application/java-vm"
    if _is_tar(head):
        return "application/x-tar"
    if len(head) > 2 * _TS_BYTES and all(byte == 0x47 for byte in head[::_TS_BYTES]):
        return "video/mp2t"
    return "audio/mpeg" if _is_frame(head[:4]) else None


def _is_java(head: bytes) -> bool:
    """Universal binaries of macOS begin alike, and have few parts where a class has a version of 45 or more."""
    return head.startswith(b"\xca\xfe\xba\xbe") and int.from_bytes(head[4:8], "big") >= 45


def _is_tar(head: bytes) -> bool:
    """A tar without a signature, as before POSIX: its first header has the right sum (POSIX, pax, ustar)."""
    field = head[148:156].strip(b" \0")
    if len(head) < _TAR_BYTES or not field or field.translate(None, b"01234567"):
        return False
    return int(field, 8) == sum(head[:148]) + 8 * ord(" ") + sum(head[156:_TAR_BYTES])


def _is_frame(header: bytes) -> bool:
    """Whether this is the header of an MPEG audio frame of layer III (ISO 11172-3 §2.4.1.3)."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return False
    return header[1] & 0x18 != 0x08 and header[2] >> 4 not in (0, 15) and header[2] & 0x0C != 0x0C
