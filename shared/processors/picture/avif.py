"""AVIF: the clean aperture, which Pillow ignores (ISO 14496-12 §12.1.4, ISO 23008-12 §6.5.9)."""

import struct
from pathlib import Path

from shared.processors.picture import boxes
from shared.processors.picture.prepared import Box, Prepared


def prepare(source: Path) -> Prepared:
    """The crop is the clean aperture of the primary picture."""
    meta, end = boxes.meta(source)
    try:
        crop = _aperture(meta)
    except (struct.error, IndexError, ZeroDivisionError):
        crop = None  # Pillow judges the file
    return Prepared("AVIF", source, crop=crop, is_short=end > source.stat().st_size)


def bit_depth(source: Path) -> int:
    """Bits per channel of the primary picture; 8 where the file does not state them (ISO 23008-12 §6.5.6)."""
    try:
        return dict(boxes.properties(boxes.meta(source)[0]))[b"pixi"][5]
    except (LookupError, struct.error):
        return 8


def _aperture(meta: bytes) -> Box | None:
    own = dict(boxes.properties(meta))
    if b"clap" not in own or b"ispe" not in own:
        return None
    return _box(int.from_bytes(own[b"ispe"][4:8], "big"), int.from_bytes(own[b"ispe"][8:12], "big"), own[b"clap"])


def _box(width: int, height: int, clap: bytes) -> Box | None:
    across, across_of, down, down_of, right, right_of, below, below_of = struct.unpack(">IIIIiIiI", clap)
    left = (width - across / across_of) / 2 + right / right_of
    top = (height - down / down_of) / 2 + below / below_of
    box = (round(left), round(top), round(left + across / across_of), round(top + down / down_of))
    is_inside = 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height
    return box if is_inside else None
