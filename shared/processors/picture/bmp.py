"""BMP: channels at any place of 16 or 32 bits, where Pillow opens a few layouts (Windows: BITMAPV5HEADER)."""

import struct
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from shared.processors.picture.parts import Span, joined
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import truncated, unsupported

_MASKS_AT = 54
_RAW, _RUNS_8, _RUNS_4, _FIELDS, _ALPHA_FIELDS = 0, 1, 2, 3, 6
_DEPTHS = (1, 4, 8, 16, 24, 32)
#: A layout that Pillow opens, for each depth; the real one is applied to the decoded picture.
_STAND_INS = {16: (0xF800, 0x7E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_RAW_MODES = {16: "I;16", 32: "RGBA"}


def prepare(source: Path) -> Prepared:
    """Raises `BadFile` for depths, compressions and layouts that are not opened."""
    with source.open("rb") as stream:
        head = stream.read(_MASKS_AT + 16)
    header_bytes = int.from_bytes(head[14:18], "little")
    if len(head) < 14 + min(header_bytes, 40):
        raise truncated()
    if header_bytes == 12:
        return Prepared("BMP", source)
    depth, compression = struct.unpack_from("<HI", head, 28)
    if depth not in _DEPTHS:
        raise unsupported(f"a BMP with {depth} bits per pixel")
    if compression not in (_RAW, _RUNS_8, _RUNS_4, _FIELDS, _ALPHA_FIELDS):
        raise unsupported(f"a BMP compressed by method {compression}")
    if compression not in (_FIELDS, _ALPHA_FIELDS) or depth not in _STAND_INS:
        return Prepared("BMP", source)
    return _with_fields(source, head, header_bytes, depth, compression)


def _with_fields(source: Path, head: bytes, header_bytes: int, depth: int, compression: int) -> Prepared:
    if len(head) < _MASKS_AT + 16:
        raise truncated()
    masks = struct.unpack_from("<4I", head, _MASKS_AT)
    if header_bytes < 56 and compression != _ALPHA_FIELDS:
        masks = (*masks[:3], 0)
    for mask in masks:
        _check(mask, depth)
    written = struct.pack("<4I", *_STAND_INS[depth])[: 16 if header_bytes >= 56 else 12]
    compressed_by = struct.pack("<I", _FIELDS)
    rest = Span(_MASKS_AT + len(written), source.stat().st_size - _MASKS_AT - len(written))
    file = joined(source, head[:30], compressed_by, head[34:_MASKS_AT], written, rest)
    return Prepared("BMP", file, partial(_select, depth), partial(_mended, depth, masks))


def _check(mask: int, depth: int) -> None:
    width, shift = mask.bit_count(), _shift(mask)
    if mask >> shift != (1 << width) - 1:
        raise unsupported("a BMP whose channels have gaps")
    if depth == 32 and mask and (width != 8 or shift % 8):
        raise unsupported(f"a BMP with a channel of {width} bits at bit {shift} of 32")


def _shift(mask: int) -> int:
    return (mask & -mask).bit_length() - 1 if mask else 0


def _select(depth: int, picture: Any) -> None:
    raw = _RAW_MODES[depth]
    picture._mode = "I;16" if depth == 16 else "RGBA"
    picture.tile = [tile._replace(args=(raw, *tile.args[1:])) for tile in picture.tile]


def _mended(depth: int, masks: tuple[int, ...], picture: Image.Image) -> Image.Image:
    wanted = masks if masks[3] else masks[:3]
    if depth == 32:
        read = picture.split()
        bands = [read[_shift(mask) // 8] if mask else Image.new("L", picture.size) for mask in wanted]
    else:
        whole = picture.convert("I")
        bands = [whole.point(_lookup(mask), "L") for mask in wanted]
    if len(bands) == 4 and bands[3].getextrema() == (0, 0):
        bands = bands[:3]  # Programs that ignore the fourth channel write zeros there.
    return Image.merge("RGBA" if len(bands) == 4 else "RGB", bands)


def _lookup(mask: int) -> list[int]:
    shift, most = _shift(mask), (mask >> _shift(mask)) or 1
    return [round(((value & mask) >> shift) * 255 / most) for value in range(1 << 16)]
