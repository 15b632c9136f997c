"""The turn that brings a picture upright, by its EXIF data alone (EXIF 2.32 §4.6.5).

Pillow would also follow XMP data, which no other program turns by.
"""

import struct
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

_TURNS: Mapping[Any, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: One, two and three quarter turns to the left.
QUARTERS_LEFT = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
_QUARTERS = tuple(_TURNS[orientation] for orientation in (5, 6, 7, 8))
_BROKEN_EXIF = (OSError, SyntaxError, ValueError, LookupError, OverflowError, TypeError, struct.error)
_EXIF_AS_TEXT = "Raw profile type exif"


def turn(picture: Image.Image) -> Image.Transpose | None:
    """The transposition; None for a picture that is upright, or whose EXIF data are broken."""
    # Not ImageOps.exif_transpose: it rewrites the EXIF data and fails on a good picture whose EXIF data are corrupt.
    if picture.format in ("TIFF", "HEIF"):
        return None  # It is turned when it is decoded, and states its upright size before.
    try:
        return _TURNS.get(exif_of(picture).get(ExifTags.Base.Orientation))
    except _BROKEN_EXIF:
        return None


def exif_of(picture: Image.Image) -> Image.Exif:
    """Its EXIF data, without XMP data. Broken ones raise almost anything."""
    if picture.format == "TIFF":
        return picture.getexif()
    exif = Image.Exif()
    exif.load(picture.info.get("exif") or _from_text(picture.info.get(_EXIF_AS_TEXT)))
    return exif


def turned(size: tuple[int, int], by: Image.Transpose | None) -> tuple[int, int]:
    """This size after the transposition."""
    return (size[1], size[0]) if by in _QUARTERS else size


def between(stored: Image.Image, upright: Image.Image) -> int:
    """The orientation whose turn makes the one picture of the other; 1 where none does."""
    turned = (number for number, turn in _TURNS.items() if stored.transpose(turn).tobytes() == upright.tobytes())
    return next(turned, 1)


def forget_xmp(picture: Image.Image) -> None:
    """Before decoding: Pillow turns a TIFF by it."""
    for key in ("xmp", "XML:com.adobe.xmp"):
        picture.info.pop(key, None)


def _from_text(text: Any) -> bytes:
    return bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else b""
