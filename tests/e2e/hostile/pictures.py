"""Good pictures with four flat quadrants in colours of their own, and the check of their renditions."""

import io
import random
import struct
from collections.abc import Iterator

from PIL import Image

Colour = tuple[int, int, int]

SIZE = (160, 120)
FORMATS = ("jpg", "png", "webp", "gif", "tiff", "bmp", "avif")
_NAMES = {"jpg": "JPEG", "tiff": "TIFF"}
#: Lossy formats change a flat colour by less; the colours of two pictures differ by more.
TOLERANCE = 12


def colours(seed: int) -> list[Colour]:
    """Four colours that no other seed below 64 has: from the top left, row by row."""
    return [(seed % 4 * 64 + 30, seed // 4 % 4 * 64 + 30, (seed // 16 % 4 + corner) % 4 * 64 + 30) for corner in range(4)]


def quadrants(seed: int, extension: str, **options: object) -> bytes:
    """A picture with these colours, in the format of this file name extension."""
    picture = Image.new("RGB", SIZE)
    width, height = SIZE[0] // 2, SIZE[1] // 2
    for corner, colour in enumerate(colours(seed)):
        picture.paste(colour, (corner % 2 * width, corner // 2 * height, (corner % 2 + 1) * width, (corner // 2 + 1) * height))
    return saved(picture, extension, **options)


def turned(seed: int, extension: str) -> bytes:
    """A picture that a camera took upside down: orientation 3 in its EXIF data."""
    exif = Image.Exif()
    exif[0x0112] = 3
    return quadrants(seed, extension, exif=exif)


def noisy(extension: str) -> bytes:
    """A picture with detail everywhere, so that damage to any byte may show."""
    pixels = random.Random(1).randbytes(3 * SIZE[0] * SIZE[1])
    return saved(Image.frombytes("RGB", SIZE, pixels), extension)


def saved(picture: Image.Image, extension: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, _NAMES.get(extension, extension.upper()), **options)
    return buffer.getvalue()


def wrong_pixels(rendition: bytes, seed: int, *, is_turned: bool) -> Iterator[str]:
    """The faults of a rendition 64 pixels wide."""
    with Image.open(io.BytesIO(rendition)) as picture:
        if picture.size != (64, 48):
            yield f"it has {picture.size} pixels"
            return
        wanted = list(reversed(colours(seed))) if is_turned else colours(seed)
        for corner, colour in enumerate(wanted):
            found = picture.convert("RGB").getpixel((16 + 32 * (corner % 2), 12 + 24 * (corner // 2)))
            assert isinstance(found, tuple)
            if any(abs(one - other) > TOLERANCE for one, other in zip(found, colour, strict=True)):
                yield f"quadrant {corner} is {found}, not {colour}"


def riff_chunk(data: bytes, kind: bytes) -> bytes:
    """The content of the first chunk of this kind in a WebP file."""
    at = 12
    while data[at : at + 4] != kind:
        at += 8 + (struct.unpack_from("<I", data, at + 4)[0] + 1) // 2 * 2
    return data[at + 8 :][: struct.unpack_from("<I", data, at + 4)[0]]
