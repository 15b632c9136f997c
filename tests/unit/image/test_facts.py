"""Facts of pictures: the size of the upright picture and its format, from the header alone."""

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from PIL import ExifTags, Image

from shared.errors import BadFile
from shared.processors.image_options import MAX_PIXELS
from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, RED, noise, plain, rendered, saved

WIDE = plain("RGB", RED, (48, 32))


def facts(data: bytes) -> Mapping[str, Any]:
    outcome = run_processor("image.facts", data)
    assert outcome.outputs == []
    return outcome.facts


def size_and_format(data: bytes) -> tuple[Any, ...]:
    found = facts(data)
    return found["width_px"], found["height_px"], found["format"]


def oriented(kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return saved(WIDE, kind, exif=exif)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_size_and_format_are_those_of_the_picture(kind: str) -> None:
    assert size_and_format(saved(WIDE, kind)) == (48, 32, kind.lower())


def test_the_pictures_of_a_stereo_camera_are_a_jpeg() -> None:
    pair = saved(WIDE, "MPO", save_all=True, append_images=[plain("RGB", BLUE)])

    assert size_and_format(pair) == (48, 32, "jpeg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_the_size_is_that_of_the_upright_picture(kind: str, orientation: int) -> None:
    data = oriented(kind, orientation)
    found = facts(data)

    assert (found["width_px"], found["height_px"]) == rendered(data).size
    assert (found["width_px"] == 32) == (5 <= orientation <= 8)


def test_the_orientation_of_a_png_may_follow_its_pixels() -> None:
    early = oriented("PNG", 6)
    start = early.index(b"eXIf") - 4
    exif = early[start : start + 12 + int.from_bytes(early[start : start + 4], "big")]
    late = early.replace(exif, b"").replace(chunk(b"IEND", b""), exif + chunk(b"IEND", b""))
    assert late.index(b"eXIf") > late.index(b"IDAT")

    assert facts(late)["width_px"] == rendered(late).width == 32


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_data_do_not_spoil_a_fine_picture(kind: str) -> None:
    assert facts(saved(WIDE, kind, exif=b"garbage! garbage!"))["width_px"] == 48


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_pixels_are_not_decoded(kind: str) -> None:
    whole = saved(noise(64, 64).convert("RGB"), kind)

    assert facts(whole[: int(len(whole) * 0.9)])["width_px"] == 64


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (lambda: b"", "not_a_picture"),
        (lambda: b"not a picture", "not_a_picture"),
        (lambda: saved(plain("RGB", RED, (16, 16)), "PPM"), "unsupported"),
        (lambda: saved(plain("L", 0, (9000, 9000)), "PNG"), "too_many_pixels"),
        (lambda: saved(plain("L", 0, (MAX_PIXELS // 10_000 + 1, 10_000)), "TIFF", compression="tiff_lzw"), "too_many_pixels"),
        (lambda: b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"short"), "corrupt"),
    ],
    ids=["empty", "text", "ppm", "huge png", "huge tiff", "broken png"],
)
def test_a_file_is_refused_as_for_renditions(picture: Callable[[], bytes], reason: str) -> None:
    data = picture()  # made here: each worker collects all tests
    for name in ("image.facts", "image.renditions"):
        with pytest.raises(BadFile) as refused:
            run_processor(name, data)

        assert refused.value.code == reason
