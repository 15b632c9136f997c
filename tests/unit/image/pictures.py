"""Pictures to render, and their renditions."""

import io
import random
from typing import Any

import pytest
from PIL import Image, ImageCms

from shared.errors import BadFile
from shared.testing import Produced, run_processor

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FORMATS = ("webp", "avif", "png", "jpeg")


def run(
    data: bytes, sizes: tuple[int | str, ...] = (64,), formats: tuple[str, ...] = ("png",), **options: Any
) -> list[Produced]:
    """The renditions of a file with these bytes."""
    return run_processor("image.renditions", data, sizes=sizes, formats=formats, **options).outputs


def rendered(data: bytes, size: int = 64, kind: str = "png") -> Image.Image:
    """The only rendition of a file with these bytes, as a picture."""
    (produced,) = run(data, (size,), (kind,))
    with Image.open(io.BytesIO(produced.data)) as opened:
        opened.load()
        return opened


def reason(data: bytes, **options: Any) -> str:
    """The reason for which a file with these bytes is refused."""
    with pytest.raises(BadFile) as refused:
        run(data, **options)
    return refused.value.code


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int, height: int) -> Image.Image:
    """Grey noise, the same each time."""
    return Image.frombytes("L", (width, height), random.Random(7).randbytes(width * height))


def plain(mode: str, colour: Any, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new(mode, size, colour)


def colour(picture: Image.Image, x: float = 0.5, y: float = 0.5) -> tuple[int, ...]:
    value = picture.convert("RGBA").getpixel((int(picture.width * x), int(picture.height * y)))
    assert isinstance(value, tuple)
    return tuple(int(channel) for channel in value)


def near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) <= 12 for one, other in zip(found, wanted, strict=False))


def profile(*, swapped: bool = False) -> bytes:
    """The sRGB profile, or one with red and blue swapped, whose effect no test can miss."""
    srgb: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ") if swapped else srgb


def palette(*colours: tuple[int, int, int]) -> Image.Image:
    picture = Image.new("P", (8, 8))
    picture.putpalette([channel for paint in colours for channel in paint])
    picture.paste(1, (4, 0, 8, 8))
    return picture
