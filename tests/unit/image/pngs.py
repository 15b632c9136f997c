"""PNG files made chunk by chunk (PNG 3 §5), so that no library's reading of the format hides in them."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE = 0, 2, 3


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def broken(kind: bytes, data: bytes) -> bytes:
    """A chunk with a wrong checksum."""
    return chunk(kind, data)[:-4] + b"\0\0\0\0"


def header(width: int, height: int, bits: int, colour: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def pixels(*rows: bytes) -> bytes:
    """Rows without a filter."""
    return chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))


def png(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND", b"")


def claiming(width: int, height: int, bits: int = 8, colour: int = RGB) -> bytes:
    """A picture whose header promises more than its pixels hold."""
    return png(header(width, height, bits, colour), chunk(b"IDAT", zlib.compress(bytes(100))))
