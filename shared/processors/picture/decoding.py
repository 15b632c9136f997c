"""Decodes a picture whole, or as far as it goes where a step asks for that."""

from dataclasses import dataclass, replace
from pathlib import Path

from PIL import ImageChops

from shared.errors import BadFile
from shared.processors.picture import jpeg
from shared.processors.picture.framing import Scale
from shared.processors.picture.opening import Decoded, load, prepare, tolerating_loss
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import truncated

#: Width and height in pixels of the last blocks of a JPEG; one alone is too often flat in a whole picture.
_LAST_BLOCKS = (64, 16)


@dataclass(frozen=True, slots=True)
class Rules:
    """The pictures that are accepted: most pixels, and whether a truncated one is delivered."""

    max_pixels: int
    delivers_truncated: bool = False


def decode(source: Path, scale: Scale, rules: Rules) -> Decoded:
    """The picture, with no less detail than it needs at this scale. Raises `BadFile`."""
    try:
        return _whole(source, scale, rules.max_pixels)
    except BadFile as error:
        if error.code != "truncated" or not rules.delivers_truncated:
            raise
    with tolerating_loss():
        return replace(load(prepare(source, rules.max_pixels), rules.max_pixels, scale), is_incomplete=True)


def _whole(source: Path, scale: Scale, max_pixels: int) -> Decoded:
    prepared = prepare(source, max_pixels)
    try:
        decoded = load(prepared, max_pixels, scale)
        if prepared.format != "JPEG" or not _ends_flat(decoded):
            return decoded
    except BadFile as error:
        if error.code != "truncated" or prepared.format != "JPEG" or not jpeg.has_every_scan(source):
            raise
        decoded = load(replace(prepared, file=jpeg.with_end(source)), max_pixels, scale)
    if _changes_with(replace(prepared, file=jpeg.padded(source)), decoded, scale, max_pixels):
        raise truncated()
    return decoded


def _ends_flat(decoded: Decoded) -> bool:
    """Whether the last blocks have one colour: libjpeg repeats the last colour where pixels are missing."""
    picture = decoded.picture
    width, height = (-(-length * picture.width // decoded.size[0]) for length in _LAST_BLOCKS)
    corner = picture.crop((max(picture.width - width, 0), max(picture.height - height, 0), *picture.size))
    return corner.getcolors(1) is not None


def _changes_with(padding: Prepared, decoded: Decoded, scale: Scale, max_pixels: int) -> bool:
    """Whether the decoder reads on after the last pixel that the file has."""
    try:
        padded = load(padding, max_pixels, scale)
    except BadFile:
        return True
    return ImageChops.difference(decoded.picture, padded.picture).getbbox() is not None
