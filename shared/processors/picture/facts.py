"""Facts of a picture: from its header and EXIF data, and on request from its pixels."""

import math
import struct
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from shared.processors.image_options import Facts
from shared.processors.picture import avif, gif, heic, looks, orientation, png
from shared.processors.picture.decoding import Rules, decode
from shared.processors.picture.finishing import finished
from shared.processors.picture.framing import Box
from shared.processors.picture.opening import opened, prepare
from shared.processors.picture.prepared import Prepared

#: Pillow's names of a JPEG that holds several pictures, and of HEIC
_NAMES = {"MPO": "jpeg", "HEIF": "heic"}
_SPACES = {"1": "grey", "L": "grey", "LA": "grey", "La": "grey", "I": "grey", "F": "grey", "CMYK": "cmyk", "LAB": "lab"}
_TIFF_BITS = 258
_PNG_BITS_AT = 24
_BROKEN_EXIF = (OSError, SyntaxError, ValueError, LookupError, OverflowError, TypeError, ArithmeticError, struct.error)
_MAX_CAMERA = 100
#: The looks of a picture are those of a copy that fits into this square (ThumbHash's own limit).
_LOOKS_PX = 100
_LOOKS = {"dhash": looks.dhash, "thumbhash": looks.thumbhash, "dominant_colour": looks.dominant_colour}


def describe(source: Path, options: Facts) -> Iterator[Mapping[str, Any]]:
    """Yield the facts; pixels are decoded only for looks. Raises `BadFile` as `render` does."""
    prepared = prepare(source, options.max_pixels)
    with opened(prepared, options.max_pixels) as picture:
        turned = {"orientation": heic.stored_orientation(source)} if prepared.format == "HEIF" else {}
        yield {**_size(prepared, picture), **_kind(source, prepared, picture), **_exif(picture, "gps" in options.add), **turned}
    if wanted := [name for name in options.add if name in _LOOKS]:
        decoded = decode(source, (box := Box(_LOOKS_PX, _LOOKS_PX)).scale, Rules(options.max_pixels))
        small = finished(decoded, box.scale(decoded.size))
        yield {name: look for name in wanted if (look := _LOOKS[name](small))}


def _size(prepared: Prepared, picture: Any) -> Mapping[str, int]:
    left, top, right, bottom = prepared.crop or (0, 0, *picture.info.get("own_size", picture.size))
    width, height = orientation.turned((right - left, bottom - top), orientation.turn(picture))
    return {"width_px": width, "height_px": height}


def _kind(source: Path, prepared: Prepared, picture: Any) -> Mapping[str, Any]:
    return {
        "format": _NAMES.get(picture.format, picture.format.lower()),
        "frames": _frames(source, prepared.format, picture),
        "bit_depth": _bit_depth(source, prepared.format, picture),
        "colour_space": "grey" if picture.mode.startswith("I;") else _SPACES.get(picture.mode, "rgb"),
    }


def _frames(source: Path, kind: str, picture: Any) -> int:
    if kind == "GIF":
        return max(1, sum(frame.is_whole for frame in gif.frames(source)))
    if kind == "PNG":
        return png.frames(source)
    return int(getattr(picture, "n_frames", 1)) if kind in ("WEBP", "AVIF") else 1


def _bit_depth(source: Path, kind: str, picture: Any) -> int:
    """Bits per channel as stored."""
    if kind == "PNG":
        with source.open("rb") as stream:
            return stream.read(_PNG_BITS_AT + 1)[_PNG_BITS_AT]
    if kind == "TIFF":
        return int(picture.tag_v2.get(_TIFF_BITS, (1,))[0])
    if kind == "AVIF":
        return avif.bit_depth(source)
    if kind == "HEIF":
        return int(picture.info["bit_depth"])
    return 1 if picture.mode == "1" else 8


def _exif(picture: Any, has_gps: bool) -> Mapping[str, Any]:
    """Orientation, time taken and camera; nothing more where the EXIF data are broken."""
    try:
        exif = orientation.exif_of(picture)
        value = exif.get(ExifTags.Base.Orientation)
        found = {"orientation": value if value in range(1, 9) else 1, "camera": _camera(exif)}
        found["taken_at"] = _taken_at(exif.get_ifd(ExifTags.IFD.Exif))
        if has_gps:
            found["gps"] = _place(exif.get_ifd(ExifTags.IFD.GPSInfo))
    except _BROKEN_EXIF:
        return {"orientation": 1}
    return {name: fact for name, fact in found.items() if fact}


def _camera(exif: Image.Exif) -> str:
    make, model = (_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    return (model if model.startswith(make) else f"{make} {model}".strip())[:_MAX_CAMERA]


def _taken_at(exif: Mapping[int, Any]) -> str:
    """In ISO 8601, with the offset from UTC only where the camera stored it (EXIF 2.32 §4.6.6)."""
    taken, offset = (_text(exif.get(tag)) for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal))
    for text, pattern in ((taken + offset, "%Y:%m:%d %H:%M:%S%z"), (taken, "%Y:%m:%d %H:%M:%S")):
        try:
            return datetime.strptime(text, pattern).isoformat()  # noqa: DTZ007  (a camera's clock has no time zone)
        except ValueError:
            continue
    return ""


def _place(gps: Mapping[int, Any]) -> Mapping[str, float]:
    """Degrees, north and east positive."""
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef) == "S")
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef) == "W")
    is_on_earth = math.isfinite(latitude + longitude) and abs(latitude) <= 90 and abs(longitude) <= 180
    return {"latitude": latitude, "longitude": longitude} if is_on_earth else {}


def _degrees(value: Any, is_negative: bool) -> float:
    if not isinstance(value, tuple) or len(value) != 3:
        return math.nan
    degrees, minutes, seconds = (float(part) for part in value)
    return round((degrees + minutes / 60 + seconds / 3600) * (-1 if is_negative else 1), 6)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable()).strip()
