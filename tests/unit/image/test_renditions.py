"""Renditions: sizes, formats, orientation, the first frame, and no metadata."""

import io
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from shared.errors import BadConfiguration, BadFile
from shared.processors import picture as package
from shared.processors.image import MAX_EDGE_PX, OUTPUT_FORMATS
from shared.testing import run_processor
from tests.conftest import DATA
from tests.unit.image.pictures import (
    BLUE,
    FORMATS,
    GREEN,
    RED,
    WHITE,
    colour,
    near,
    plain,
    rendered,
    run,
    saved,
)


def test_every_size_is_written_in_every_format() -> None:
    drafts = run(saved(plain("RGB", RED, (300, 200)), "PNG"), (32, 100), FORMATS)

    assert {draft.name for draft in drafts} == {f"{size}.{kind}" for size in (32, 100) for kind in FORMATS}
    for draft in drafts:
        size, kind = draft.name.split(".")
        with Image.open(io.BytesIO(draft.data)) as picture:
            assert picture.get_format_mimetype() == draft.content_type == f"image/{kind}"
            assert picture.size == (int(size), round(int(size) * 2 / 3))
            assert draft.facts == {"width_px": picture.width, "height_px": picture.height}


def test_a_picture_is_never_enlarged() -> None:
    drafts = run(saved(plain("RGB", RED, (30, 20)), "PNG"), (1000, 25, 10))

    assert [(draft.name, draft.facts["width_px"], draft.facts["height_px"]) for draft in drafts] == [
        ("1000.png", 30, 20),
        ("25.png", 25, 17),
        ("10.png", 10, 7),
    ]


@pytest.mark.parametrize("size", [(2000, 1), (1, 2000), (1, 1)])
def test_the_thinnest_picture_keeps_a_pixel(size: tuple[int, int]) -> None:
    picture = rendered(saved(plain("RGB", RED, size), "PNG"))

    assert min(picture.size) == 1
    assert max(picture.size) <= 64


def test_a_size_or_format_named_twice_is_written_once() -> None:
    assert len(run(saved(plain("RGB", RED), "PNG"), (8, 8), ("png", "png"))) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_the_largest_edge_can_be_written(kind: str) -> None:
    wide = saved(plain("RGB", RED, (MAX_EDGE_PX + 9, 16)), "PNG")

    assert rendered(wide, MAX_EDGE_PX, kind).width == MAX_EDGE_PX


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_every_format_of_the_closed_list_is_opened(kind: str) -> None:
    assert near(colour(rendered(saved(plain("RGB", RED), kind))), (*RED, 255))


def test_the_pictures_of_a_stereo_camera_are_opened() -> None:
    pair = saved(plain("RGB", RED), "MPO", save_all=True, append_images=[plain("RGB", BLUE)])

    assert near(colour(rendered(pair)), RED)


# ---- upright


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


# ---- limits


def test_the_limit_of_a_step_holds_for_both_processors() -> None:
    for name in ("image.renditions", "image.facts"):
        with pytest.raises(BadFile, match="1,536 pixels; the limit is 1,535") as refused:
            run_processor(name, saved(plain("RGB", RED, (48, 32)), "PNG"), max_pixels=1535)

        assert refused.value.code == "too_many_pixels"
        assert run_processor(name, saved(plain("RGB", RED, (48, 32)), "PNG"), max_pixels=1536)


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "1"), ("TIFF", "1")])
def test_a_jpeg_and_a_scan_may_have_five_times_the_pixels(kind: str, mode: str) -> None:
    data = saved(plain(mode, 255 if mode == "1" else RED, (48, 32)), kind)

    assert len(run(data, max_pixels=308)) == 1
    with pytest.raises(BadFile, match="the limit is 1,535"):
        run(data, max_pixels=307)


@pytest.mark.parametrize(
    "options", [{"max_pixels": 0}, {"max_pixels": True}, {"max_pixels": 1.5}, {"truncated": "yes"}], ids=str
)
def test_a_wrong_limit_is_refused_at_start_up(options: dict[str, Any]) -> None:
    with pytest.raises(BadConfiguration, match=next(iter(options))):
        run(b"", **options)


# ---- animations


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = saved(plain("RGB", RED), kind, save_all=True, append_images=[plain("RGB", GREEN), plain("RGB", BLUE)])

    (draft,) = run(frames, (8,), ("webp",))

    with Image.open(io.BytesIO(draft.data)) as picture:
        assert near(colour(picture), RED)
        assert getattr(picture, "n_frames", 1) == 1


# ---- metadata


@pytest.mark.parametrize("kind", FORMATS)
def test_no_metadata_of_a_photograph_survive(photo: bytes, kind: str) -> None:
    with Image.open(DATA / "photo.jpg") as original:
        assert original.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert original.getexif()[ExifTags.Base.Make] == "Sluice test camera"

    picture = rendered(photo, 256, kind)

    assert dict(picture.getexif()) == {}
    assert picture.getexif().get_ifd(ExifTags.IFD.GPSInfo) == {}
    assert not set(picture.info) & {"exif", "xmp", "XML:com.adobe.xmp", "icc_profile", "comment", "photoshop", "dpi"}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_no_secret_word_survives_in_the_bytes(source: str, kind: str) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRET-WORD")
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "SECRET-WORD"
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": b"SECRET-WORD", "exif": exif, "xmp": b"<x>SECRET-WORD</x>"},
        "PNG": {"pnginfo": text, "exif": exif},
        "WEBP": {"exif": exif, "xmp": b"<x>SECRET-WORD</x>"},
        "TIFF": {"description": "SECRET-WORD"},
        "GIF": {"comment": b"SECRET-WORD"},
    }
    original = saved(plain("RGB", RED), source, **options[source])
    assert b"SECRET-WORD" in original

    (draft,) = run(original, (64,), (kind,))

    assert b"SECRET-WORD" not in draft.data


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_lower_quality_makes_a_smaller_file(photo: bytes, kind: str) -> None:
    def size(quality: int) -> int:
        (draft,) = run(photo, (256,), (kind,), quality=quality)
        return len(draft.data)

    assert size(20) < size(90) / 2


def test_the_photograph_comes_out_upright_and_in_proportion(photo: bytes) -> None:
    picture = rendered(photo, 256)

    assert picture.width == 256
    assert picture.height == round(256 * 1100 / 1411)


def test_the_options_list_the_formats_that_are_written() -> None:
    assert tuple(package.OUTPUT_FORMATS) == OUTPUT_FORMATS
