"""TIFF: checks before Pillow opens it, the page with the picture, and repairs of what Pillow misreads."""

from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, ImagePalette

from shared.processors.picture.greys import from_floats, to_eight_bits
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import check_size, corrupt, too_much_metadata, truncated, unsupported
from shared.processors.picture.tiff_directory import Directory, nested, pages

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_MAKE, _STRIPS, _STRIP_BYTES, _PLANAR, _SUBDIRECTORIES = 271, 273, 279, 284, 330
_COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 320, 322, 323, 324, 325
_EXTRA_CHANNELS, _SAMPLE_FORMAT, _DNG_VERSION = 338, 339, 50706
_WHITE_IS_ZERO, _SENSOR, _LINEAR_RAW = 0, 32803, 34892
_SEPARATE_PLANES = 2
_MAX_PIECES = 100_000
#: compression → name, of those that Pillow's libtiff is built without
_NOT_BUILT = {
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG of raw files",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_COLOURS = {0: "greys", 1: "greys", 2: "colours", 3: "palette colours", 5: "CMYK colours", 6: "YCbCr colours", 8: "Lab colours"}
_NUMBERS = {1: "", 2: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}
_MAX_PALETTE_VALUE = 255


def prepare(source: Path, max_pixels: int) -> Prepared:
    """Raises `BadFile` for a raw file, a hidden full picture, too many pieces, and a tile above the limit."""
    found = pages(source)
    if not found:
        raise truncated()
    if _is_raw(source, found[0]):
        raise unsupported("a camera raw file")
    number = next((place for place, page in enumerate(found) if not page.first(_SUBFILE) & 1), 0)
    page = found[number]
    if page.first(_SUBFILE) & 1 and page.values.get(_SUBDIRECTORIES):
        raise unsupported("a TIFF with its full picture in a sub-directory")
    file_bytes = source.stat().st_size
    _check(page, max_pixels, file_bytes)
    is_short = _end(page) > file_bytes
    name = _name(page) if _has_pixels(page) and not is_short else ""
    return Prepared("TIFF", source, partial(_select, number, page), partial(_mended, page), is_short=is_short, name=name)


def _is_raw(source: Path, page: Directory) -> bool:
    if page.values.get(_DNG_VERSION):
        return True
    inner = nested(source, page.values.get(_SUBDIRECTORIES, ()))
    return any(one.first(_PHOTOMETRIC) in (_SENSOR, _LINEAR_RAW) for one in (page, *inner))


def _check(page: Directory, max_pixels: int, file_bytes: int) -> None:
    pieces = max(page.counts.get(tag, 0) for tag in (_STRIPS, _TILES, _STRIP_BYTES, _TILE_BYTES))
    limit = max_pixels * (5 if page.first(_BITS, 1) == 1 else 1)
    check_size(page.first(_WIDTH), page.first(_HEIGHT), limit)
    check_size(page.first(_TILE_WIDTH), page.first(_TILE_HEIGHT), max_pixels)
    if pieces > file_bytes:
        raise corrupt(f"the TIFF claims {pieces:,} strips or tiles, more than its bytes")
    if pieces > _MAX_PIECES:
        raise too_much_metadata(f"the TIFF has {pieces:,} strips or tiles; the limit is {_MAX_PIECES:,}")
    if (compression := page.first(_COMPRESSION, 1)) in _NOT_BUILT:
        raise unsupported(f"a TIFF compressed as {_NOT_BUILT[compression]}")


def _has_pixels(page: Directory) -> bool:
    return bool(page.first(_WIDTH) and page.first(_HEIGHT) and (page.values.get(_STRIPS) or page.values.get(_TILES)))


def _end(page: Directory) -> int:
    """The end of the last strip or tile, of those whose place is read."""
    pairs = ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES))
    places = (zip(page.values.get(offsets, ()), page.values.get(lengths, ()), strict=False) for offsets, lengths in pairs)
    return max((offset + length for pairs in places for offset, length in pairs), default=0)


def _name(page: Directory) -> str:
    bits = "/".join(str(depth) for depth in dict.fromkeys(page.values.get(_BITS, (1,))))
    numbers = _NUMBERS.get(page.first(_SAMPLE_FORMAT, 1), "unusual ")
    colours = _COLOURS.get(page.first(_PHOTOMETRIC), "unusual colours")
    extra = " and extra channels" if page.values.get(_EXTRA_CHANNELS) else ""
    white = " whose white is zero" if page.values.get(_PHOTOMETRIC) == (_WHITE_IS_ZERO,) else ""
    return f"a TIFF with {bits}-bit {numbers}{colours}{extra}{white}"


def _select(number: int, page: Directory, picture: Any) -> None:
    if number:
        picture.seek(number)
    if page.first(_PLANAR, 1) == _SEPARATE_PLANES and page.first(_BITS) == 16:
        # Pillow reads each plane as if it had 8 bits.
        order = "L" if picture.tag_v2.prefix == b"II" else "B"
        picture.tile = [_deep(tile, order) for tile in picture.tile]


def _deep(tile: Any, order: str) -> Any:
    if tile.codec_name == "libtiff":
        return tile
    plane, stride, direction = tile.args
    return tile._replace(args=(f"{plane};16{order}", stride, direction))


def _mended(page: Directory, picture: Image.Image) -> Image.Image:
    is_inverted = page.values.get(_PHOTOMETRIC) == (_WHITE_IS_ZERO,)
    if picture.mode.startswith("I;16"):
        return _with_info(picture, to_eight_bits(picture, page.first(_BITS, 16), is_inverted=is_inverted))
    if picture.mode == "I":
        raise unsupported(_name(page))
    if picture.mode == "F":
        return _with_info(picture, from_floats(picture, is_inverted=is_inverted))
    if picture.mode in ("P", "PA") and max(page.values.get(_COLOUR_MAP, (0,))) <= _MAX_PALETTE_VALUE:
        # Written by programs that take a colour map's 16 bits for 8; libtiff reads it so too.
        picture.palette = ImagePalette.raw("RGB;L", bytes(page.values[_COLOUR_MAP]))
        picture.palette.dirty = 1
        picture.load()
    return picture


def _with_info(original: Image.Image, changed: Image.Image) -> Image.Image:
    changed.info = dict(original.info)
    return changed
