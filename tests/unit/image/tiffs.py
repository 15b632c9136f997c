"""TIFF files made byte by byte (TIFF 6.0), so that no library's reading of the format hides in them."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS = 254, 256, 257, 258, 259, 262, 273
ORIENTATION, SAMPLES, ROWS, STRIP_BYTES, PLANAR, COLOUR_MAP, SUBDIRECTORIES = 274, 277, 278, 279, 284, 320, 330
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, EXTRA, FORMAT = 322, 323, 324, 325, 338, 339
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, LAB, SENSOR = 0, 1, 2, 3, 5, 8, 32803
UNSIGNED, SIGNED, FLOAT = 1, 2, 3

Tags = Mapping[int, int | Sequence[int]]


@dataclass
class Page:
    """A page: its tags, the data of its strips, and pages in its sub-directories."""

    tags: Tags
    strips: Sequence[bytes] = (b"",)
    inner: Sequence["Page"] = field(default_factory=tuple)


def tiff(*pages: Page, order: str = "<") -> bytes:
    """A file of these pages in a chain; the pixels come before each directory, so that no page is cut."""
    data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    link = 4
    for page in pages:
        start, link_of_page = _append(data, page, order)
        struct.pack_into(f"{order}I", data, link, start)
        link = link_of_page
    return bytes(data)


def one(width: int, height: int, pixels: bytes, bits: int | Sequence[int], photometric: int, tags: Tags | None = None) -> Page:
    """A page with one strip, uncompressed, whose samples have these bits."""
    depths = (bits,) if isinstance(bits, int) else tuple(bits)
    needed: dict[int, int | Sequence[int]] = {WIDTH: width, HEIGHT: height, BITS: depths, COMPRESSION: 1}
    return Page({**needed, PHOTOMETRIC: photometric, SAMPLES: len(depths), ROWS: height, **(tags or {})}, (pixels,))


def _append(data: bytearray, page: Page, order: str) -> tuple[int, int]:
    """The offset of the directory, and the place of its link to the next one."""
    inner = [_append(data, one, order)[0] for one in page.inner]
    offsets = []
    for strip in page.strips:
        offsets.append(len(data))
        data += strip + bytes(len(strip) % 2)
    tags = {STRIPS: offsets, STRIP_BYTES: [len(strip) for strip in page.strips], **page.tags}
    if inner:
        tags[SUBDIRECTORIES] = inner
    entries = b""
    for tag, value in sorted(tags.items()):
        values = [value] if isinstance(value, int) else list(value)
        packed = struct.pack(f"{order}{len(values)}I", *values)
        kind = 4
        if max(values, default=0) < 1 << 16:
            packed, kind = struct.pack(f"{order}{len(values)}H", *values), 3
        if len(packed) > 4:
            place = len(data)
            data += packed
            packed = struct.pack(f"{order}I", place)
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    start = len(data)
    data += struct.pack(f"{order}H", len(entries) // 12) + entries + bytes(4)
    return start, len(data) - 4
