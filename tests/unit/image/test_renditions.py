"""Renditions: sizes, formats, orientation, the first frame, and no metadata."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from benchmarks.likeness import ssim
from shared import processors
from shared.errors import BadConfiguration
from shared.processors import picture as package
from shared.processors.image_options import MAX_EDGE_PX, OUTPUT_FORMATS
from tests.conftest import DATA
from tests.unit.image.pictures import (
    BLUE,
    FORMATS,
    GREEN,
    RED,
    colour,
    near,
    noise,
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


def test_names_follow_the_pattern_of_the_step() -> None:
    drafts = run(saved(plain("RGB", RED), "PNG"), (8, "200x200"), ("webp", "png"), name="cat_{size}.{format}")

    assert [draft.name for draft in drafts] == ["cat_8.webp", "cat_8.png", "cat_200x200.webp", "cat_200x200.png"]


def test_a_later_step_may_take_an_output_by_its_own_name() -> None:
    processor = processors.find("image.renditions")

    assert processor.outputs(processor.check({"sizes": [8], "name": "{format}-{size}"})) == ("webp-8",)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "{size}",
        "a.{format}",
        "{step}_{size}.{format}",
        "a" * 19 + "{stem}{size}.{format}",
        "{stem}/{size}.{format}",
        "a/{size}.{format}",
        "{size!r}.{format}",
        "a" * 60 + "{size}.{format}",
        5,
    ],
    ids=str,
)
def test_a_wrong_pattern_is_refused_with_a_right_one(name: Any) -> None:
    with pytest.raises(BadConfiguration) as refused:
        run(b"", name=name)

    assert refused.value.message.startswith(f"options.name: {name!r}; write a name of up to 64 bytes without a slash")
    assert refused.value.message.endswith(', where {stem} counts 40, such as "{stem}_{size}.{format}"')


# ---- animations


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
def test_of_several_pictures_the_first_is_rendered(kind: str) -> None:
    frames = saved(plain("RGB", RED), kind, save_all=True, append_images=[plain("RGB", GREEN), plain("RGB", BLUE)])

    drafts = run(frames, (8,), FORMATS)

    for draft in drafts:
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


@pytest.mark.parametrize("times", [2.9, 4.9, 9.9])
def test_a_jpeg_keeps_its_detail_just_above_a_scale_of_its_decoder(times: float, tmp_path: Path) -> None:
    source, rendition = tmp_path / "source.jpg", tmp_path / "rendition.png"
    source.write_bytes(saved(noise(300, 200).resize((1200, 800), Image.Resampling.BICUBIC), "JPEG", quality=95))
    rendition.write_bytes(run(source.read_bytes(), (round(1200 / times),))[0].data)

    assert ssim(source, rendition) > 0.9985


def test_a_jpeg_has_huffman_codes_of_its_own(photo: bytes) -> None:
    standard = saved(rendered(photo, 512), "JPEG", quality=80)
    (draft,) = run(photo, (512,), ("jpeg",), quality=80)

    assert len(draft.data) < 0.98 * len(standard)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_lower_quality_makes_a_smaller_file(photo: bytes, kind: str) -> None:
    def size(quality: int) -> int:
        (draft,) = run(photo, (256,), (kind,), quality=quality)
        return len(draft.data)

    assert size(20) < size(90) / 2


def test_each_format_has_its_own_quality(photo: bytes) -> None:
    def sizes(quality: Any) -> list[int]:
        return [len(draft.data) for draft in run(photo, (128,), ("webp", "jpeg"), quality=quality)]

    low, high, default = sizes(20), sizes(90), sizes(80)

    assert sizes({"webp": 20, "jpeg": 90}) == [low[0], high[1]]
    assert sizes({"jpeg": 20}) == [default[0], low[1]]


def test_more_effort_makes_a_smaller_webp(photo: bytes) -> None:
    fast, default, small = (
        len(run(photo, (256,), ("webp",), **options)[0].data) for options in ({"webp_method": 0}, {}, {"webp_method": 6})
    )

    assert small < default < fast


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"quality": 0}, "options.quality: 0; write a whole number from 1 to 100, or a table"),
        ({"quality": {"webp": 101}}, "options.quality.webp: 101; write a whole number from 1 to 100"),
        ({"quality": {"heic": 50}}, "options.quality.heic: unknown; write some of webp, avif, png, jpeg"),
        ({"webp_method": 7}, "options.webp_method: 7; write a whole number from 0 to 6"),
        ({"webp_method": True}, "options.webp_method: True; write a whole number from 0 to 6"),
    ],
    ids=str,
)
def test_a_wrong_quality_is_refused_with_a_right_one(options: dict[str, Any], wrong: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        run(b"", **options)

    assert refused.value.message.startswith(wrong)


def test_the_photograph_comes_out_upright_and_in_proportion(photo: bytes) -> None:
    picture = rendered(photo, 256)

    assert picture.width == 256
    assert picture.height == round(256 * 1100 / 1411)


def test_the_options_list_the_formats_that_are_written() -> None:
    assert tuple(package.OUTPUT_FORMATS) == OUTPUT_FORMATS
