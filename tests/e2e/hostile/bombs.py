"""Small files that take much memory or time to decode, made byte by byte."""

import struct
import zlib
from collections.abc import Mapping

from PIL import Image, ImageCms

from tests.e2e.hostile.pictures import riff_chunk, saved

_SHORT, _LONG = 3, 4


def animated_webp() -> bytes:
    """One pixel on a canvas of 7000 × 7000, in some 90 bytes."""
    canvas, nothing = _int24(6999) * 2, _int24(0)
    frame = nothing * 4 + _int24(100) + b"\0" + _riff(b"VP8L", _vp8l())
    return _webp((b"VP8X", b"\2\0\0\0" + canvas), (b"ANIM", bytes(6)), (b"ANMF", frame))


def turned_webp() -> bytes:
    """50 megapixels of one colour, lossless, with a profile and orientation 6: each step copies them all."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    size = _int24(6999) + _int24(7141)
    head = b"\x2c\0\0\0" + size  # profile, EXIF, alpha
    return _webp((b"VP8X", head), (b"ICCP", profile), (b"VP8L", _vp8l(7000, 7142)), (b"EXIF", exif.tobytes()[6:]))


def _vp8l(width: int = 1, height: int = 1) -> bytes:
    """A bit stream in which a pixel takes no bit, as all have one colour. Its size is in the bits 8 to 35."""
    small = riff_chunk(saved(Image.new("RGBA", (1, 1), (200, 10, 10, 255)), "webp", lossless=True), b"VP8L")
    bits = int.from_bytes(small[1:5], "little") >> 28 << 28 | width - 1 | (height - 1) << 14
    return small[:1] + bits.to_bytes(4, "little") + small[5:]


def _webp(*chunks: tuple[bytes, bytes]) -> bytes:
    return _riff(b"RIFF", b"WEBP" + b"".join(_riff(*chunk) for chunk in chunks))


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _int24(number: int) -> bytes:
    return number.to_bytes(3, "little")


def tiff_of_one_tile() -> bytes:
    """A small picture in a tile of 32768 × 32768 pixels."""
    tile = zlib.compress(bytes(100))
    tags = {256: 100, 257: 100, 258: 8, 259: 8, 262: 1, 277: 1, 322: 32768, 323: 32768, 324: 8, 325: len(tile)}
    return _tiff(tile, tags)


def tiff_of_many_strips(rows: int = 2_000_000) -> bytes:
    """A strip for each row: two lists of numbers, which all name the same byte."""
    offsets, lengths = 8 + 2, 8 + 2 + 4 * rows
    lists = b"\0\0" + struct.pack("<I", 8) * rows + b"\1\0" * rows
    tags: dict[int, int | tuple[int, int, int]] = {
        256: 1,
        257: rows,
        258: 8,
        259: 1,
        262: 1,
        273: (_LONG, rows, offsets),
        277: 1,
        278: 1,
        279: (_SHORT, rows, lengths),
    }
    return _tiff(lists, tags)


def _tiff(data: bytes, tags: Mapping[int, int | tuple[int, int, int]]) -> bytes:
    """A header, the data from byte 8 on, and then the tags: numbers, or type, count and place of a list."""
    entries = b""
    for tag, value in tags.items():
        kind, count, number = value if isinstance(value, tuple) else (_LONG, 1, value)
        entries += struct.pack("<HHII", tag, kind, count, number)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def png(width: int, height: int, rows: int = 0, *more: bytes) -> bytes:
    """A grey PNG of this size of which the file has so many rows, all black; `more` are chunks before them."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes((width + 1) * min(100_000, rows - at))) for at in range(0, rows, 100_000))
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + png_chunk(b"IDAT", packed + packer.flush()) + png_chunk(b"IEND", b"")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg_of_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each is 12 bytes, and a pass over all pixels."""
    whole = saved(Image.new("RGB", (1600, 1200), (20, 90, 200)), "jpg", progressive=True, quality=50)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * scans + whole[-2:]


def huge(extension: str) -> bytes:
    """A small picture whose header claims 60,000 × 60,000 pixels."""
    small = saved(Image.new("RGB", (16, 16)), extension)
    side = 60_000
    if extension == "bmp":
        return small[:18] + struct.pack("<ii", side, side) + small[26:]
    if extension == "gif":
        return small[:6] + struct.pack("<HH", side, side) + small[10:]
    if extension == "jpg":
        at = small.index(b"\xff\xc0") + 5
        return small[:at] + struct.pack(">HH", side, side) + small[at + 4 :]
    return png(side, side)
