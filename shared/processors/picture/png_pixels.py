"""The decoded pixels of a PNG: missing rows are found, and the transparent colour is compared at its own depth."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from PIL import Image, ImageChops, ImageFile

from shared.processors.picture.greys import to_eight_bits
from shared.processors.picture.refusals import truncated

_GREY, _RGB = 0, 2
_CHANNELS = {_GREY: 1, _RGB: 3, 3: 1, 4: 2, 6: 4}
_BLOCK_BYTES = 1 << 20
#: first column and row of each pass of an interlaced picture, and the steps to the next (PNG 3 §8.1)
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of IHDR (PNG 3 §11.2.1)."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filter: int
    interlace: int

    @property
    def unpacked_bytes(self) -> int:
        """Bytes of all rows, each with the byte of its filter."""
        passes = _PASSES if self.interlace else ((0, 0, 1, 1),)
        sizes = ((-((left - self.width) // across), -((top - self.height) // down)) for left, top, across, down in passes)
        bits = self.depth * _CHANNELS.get(self.colour, 0)
        return sum(height * (1 + (width * bits + 7) // 8) for width, height in sizes if width > 0 and height > 0)


@dataclass(frozen=True, slots=True)
class Stored:
    """The whole file, the compressed pixels alone, the header, and the contents of tRNS."""

    file: Callable[[], BinaryIO]
    data: Callable[[], BinaryIO]
    header: Header
    transparency: bytes

    def mended(self, picture: Image.Image) -> Image.Image:
        """Eight bits a channel, with transparency. Raises `BadFile` where rows are missing."""
        is_checked = not ImageFile.LOAD_TRUNCATED_IMAGES and _may_lack_rows(picture)
        if is_checked and _unpacked(self.data(), self.header.unpacked_bytes) < self.header.unpacked_bytes:
            raise truncated()
        alpha = self._alpha(picture) if self._key() else None
        if picture.mode == "I;16":
            info, picture = picture.info, to_eight_bits(picture, self.header.depth)
            picture.info = info
        if alpha is None:
            return picture
        solid = picture.convert("L") if picture.mode == "1" else picture
        together = Image.merge(solid.mode + "A", (*solid.split(), alpha))
        together.info = {key: value for key, value in picture.info.items() if key != "transparency"}
        return together

    def _key(self) -> tuple[int, ...]:
        """The one colour that is transparent; a palette has alpha instead."""
        channels = {_GREY: 1, _RGB: 3}.get(self.header.colour, 0)
        if not channels or len(self.transparency) != 2 * channels:
            return ()
        return tuple(value & ((1 << self.header.depth) - 1) for value in struct.unpack(f">{channels}H", self.transparency))

    def _alpha(self, picture: Image.Image) -> Image.Image:
        key, depth = self._key(), self.header.depth
        if picture.mode == "I;16":
            return picture.convert("I").point([0 if value == key[0] else 255 for value in range(1 << 16)], "L")
        if depth <= 8:
            most = (1 << depth) - 1
            return _differing(picture.convert("L") if picture.mode == "1" else picture, [value * 255 // most for value in key])
        with Image.open(self.file(), formats=["PNG"]) as again:
            # Pillow decoded the high byte of each channel; this takes the low one.
            again.tile = [tile._replace(args="RGB;16L") for tile in cast("Any", again).tile]
            again.load()
            low = _differing(again, [value & 255 for value in key])
        return ImageChops.lighter(_differing(picture, [value >> 8 for value in key]), low)


def _differing(picture: Image.Image, key: list[int]) -> Image.Image:
    """0 where every channel has its value of the key, 255 elsewhere."""
    found = Image.new("L", picture.size, 0)
    for band, one in zip(picture.split(), key, strict=True):
        found = ImageChops.lighter(found, band.point([0 if value == one else 255 for value in range(256)]))
    return found


def _may_lack_rows(picture: Image.Image) -> bool:
    """Pillow takes the end of the compressed data for the end of the pixels; rows that are missing are zero."""
    last = (picture.crop((0, y, picture.width, y + 1)) for y in range(max(picture.height - 2, 0), picture.height))
    return any(row.getbbox(alpha_only=False) is None for row in last)


def _unpacked(stream: BinaryIO, most: int) -> int:
    """The bytes that the compressed data hold, counted up to a limit."""
    unpacker, count = zlib.decompressobj(), 0
    with stream:
        data = stream.read(_BLOCK_BYTES)
        while data and count < most and not unpacker.eof:
            count += len(unpacker.decompress(data, _BLOCK_BYTES))
            data = unpacker.unconsumed_tail or stream.read(_BLOCK_BYTES)
    return count
