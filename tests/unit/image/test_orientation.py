"""Renditions are upright, by EXIF data alone."""

import io
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageChops, ImageStat, PngImagePlugin

from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, GREEN, RED, WHITE, colour, near, noise, rendered, run, saved


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    return [colour(picture, x, y)[:3] for x, y in ((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8))]


@pytest.fixture(scope="module")
def flag() -> Image.Image:
    """Upright: red and green above blue and white, wider than high."""
    flag = Image.new("RGB", (48, 32))
    for place, paint in enumerate((RED, GREEN, BLUE, WHITE)):
        left, top = place % 2 * 24, place // 2 * 16
        flag.paste(paint, (left, top, left + 24, top + 16))
    return flag


#: EXIF orientation → how a camera that writes it has stored the upright picture
STORED: Mapping[int, Image.Transpose | None] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_comes_out_upright(flag: Image.Image, orientation: int, kind: str) -> None:
    turn = STORED[orientation]
    stored = flag if turn is None else flag.transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    picture = rendered(saved(stored, kind, exif=exif, **({"quality": 95} if kind != "PNG" else {})))

    assert picture.size == (48, 32)
    assert all(near(found, wanted) for found, wanted in zip(corners(picture), (RED, GREEN, BLUE, WHITE), strict=True))


@pytest.mark.parametrize("orientation", [0, 9, 6000])
def test_an_undefined_orientation_changes_nothing(flag: Image.Image, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    assert rendered(saved(flag, "PNG", exif=exif)).tobytes() == flag.tobytes()


def test_broken_exif_data_do_not_spoil_a_fine_picture(flag: Image.Image) -> None:
    assert rendered(saved(flag, "PNG", exif=b"garbage! garbage!")).tobytes() == flag.tobytes()


def test_exif_data_that_cannot_be_written_again_do_not_spoil_a_fine_picture(flag: Image.Image) -> None:
    orientation = struct.pack("<HHII", ExifTags.Base.Orientation, 3, 1, 6)
    width_as_text = struct.pack("<HHI4s", ExifTags.Base.ImageWidth, 2, 4, b"abc\0")
    exif = b"II*\0" + struct.pack("<IH", 8, 2) + width_as_text + orientation + struct.pack("<I", 0)

    picture = rendered(saved(flag.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif))

    assert picture.tobytes() == flag.tobytes()


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def with_xmp(picture: Image.Image, kind: str, exif: Image.Exif) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    options: dict[str, dict[str, Any]] = {"PNG": {"pnginfo": text}, "TIFF": {"tiffinfo": {**dict(exif), 700: XMP}}}
    data = saved(picture, kind, exif=exif, **options.get(kind, {"xmp": XMP}))
    assert b"tiff:Orientation" in data
    return data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_xmp_data_turn_no_picture(flag: Image.Image, kind: str) -> None:
    data = with_xmp(flag, kind, Image.Exif())

    facts = run_processor("image.facts", data).facts
    assert (rendered(data).size, facts["width_px"], facts["height_px"]) == ((48, 32), 48, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_data_turn_a_picture_whose_xmp_data_differ(flag: Image.Image, kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3

    picture = rendered(with_xmp(flag.transpose(Image.Transpose.ROTATE_180), kind, exif))

    assert all(near(found, wanted) for found, wanted in zip(corners(picture), (RED, GREEN, BLUE, WHITE), strict=True))


def test_exif_data_of_old_programs_in_the_text_of_a_png_turn_it(flag: Image.Image) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    text = PngImagePlugin.PngInfo()
    raw = exif.tobytes()
    text.add_text("Raw profile type exif", f"\nexif\n{len(raw):8}\n{raw.hex()}\n", zip=True)

    assert rendered(saved(flag.transpose(Image.Transpose.ROTATE_90), "PNG", pnginfo=text)).tobytes() == flag.tobytes()


def test_a_lying_jpeg_keeps_the_detail_that_its_upright_box_asks_for() -> None:
    lying = noise(400, 100)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    (produced,) = run(saved(lying, "JPEG", quality=95, exif=exif), ("100x400",))

    with Image.open(io.BytesIO(produced.data)) as upright:
        wanted = lying.transpose(Image.Transpose.ROTATE_270).convert("RGB")
        assert ImageStat.Stat(ImageChops.difference(upright.convert("RGB"), wanted)).mean[0] < 10
