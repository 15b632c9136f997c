"""Boxes: the picture inside, covering, or filled up; gravity, background, and the names of sizes."""

import io
from typing import Any

import pytest
from PIL import Image

from shared.errors import BadConfiguration
from tests.unit.image.pictures import BLUE, GREEN, RED, WHITE, colour, near, plain, run, saved

#: Stripes of a third each, from left to right, or from top to bottom.
STRIPES = (RED, GREEN, BLUE)
CLEAR = (0, 0, 0, 0)


def across(size: tuple[int, int] = (300, 100)) -> Image.Image:
    picture, third = Image.new("RGB", size), size[0] // 3
    for place, paint in enumerate(STRIPES):
        picture.paste(paint, (place * third, 0, (place + 1) * third, size[1]))
    return picture


def down() -> Image.Image:
    return across().transpose(Image.Transpose.ROTATE_270)


def made(picture: Image.Image | bytes, size: Any, kind: str = "png", **options: Any) -> Image.Image:
    data = picture if isinstance(picture, bytes) else saved(picture, "PNG")
    (draft,) = run(data, (size,), (kind,), **options)
    assert draft.name == f"{size}.{kind}"
    with Image.open(io.BytesIO(draft.data)) as opened:
        opened.load()
        assert draft.facts == {"width_px": opened.width, "height_px": opened.height}
        return opened


def ends(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours at the left, in the middle and at the right."""
    return [colour(picture, x)[:3] for x in (0.06, 0.5, 0.94)]


@pytest.mark.parametrize(("size", "wanted"), [("60x60", (60, 20)), ("60x10", (30, 10)), ("30x90", (30, 10)), (60, (60, 20))])
def test_a_picture_lies_inside_its_box_whole(size: Any, wanted: tuple[int, int]) -> None:
    picture = made(across(), size)

    assert picture.size == wanted
    assert all(near(found, paint) for found, paint in zip(ends(picture), STRIPES, strict=True))


@pytest.mark.parametrize(
    ("gravity", "paint"),
    [("left", RED), ("center", GREEN), ("right", BLUE), ("top", GREEN), ("top-left", RED), ("bottom-right", BLUE)],
)
def test_a_wide_picture_covers_a_square_by_gravity(gravity: str, paint: tuple[int, ...]) -> None:
    picture = made(across(), 50, fit="cover", gravity=gravity)

    assert picture.size == (50, 50)
    assert all(near(found, paint) for found in ends(picture))


@pytest.mark.parametrize(("gravity", "paint"), [("top", RED), ("center", GREEN), ("bottom", BLUE), ("left", GREEN)])
def test_a_high_picture_covers_a_square_by_gravity(gravity: str, paint: tuple[int, ...]) -> None:
    picture = made(down(), "50x50", fit="cover", gravity=gravity)

    assert picture.size == (50, 50)
    assert near(colour(picture, y=0.05), paint)
    assert near(colour(picture, y=0.95), paint)


def test_a_covered_box_shows_the_middle_of_the_picture() -> None:
    # 300 × 100 covers 40 × 20 at a fifth of its size: 20 pixels are left of the ten of the middle third's neighbours.
    picture = made(across(), "40x20", fit="cover")

    assert picture.size == (40, 20)
    assert [near(colour(picture, x), paint) for x, paint in ((0.1, RED), (0.5, GREEN), (0.9, BLUE))] == [True] * 3


@pytest.mark.parametrize(("size", "wanted"), [(400, (100, 100)), ("800x200", (300, 75)), ("50x400", (12, 100))])
def test_a_small_picture_keeps_its_scale_and_takes_the_shape_of_the_box(size: Any, wanted: tuple[int, int]) -> None:
    assert made(across(), size, fit="cover").size == wanted


@pytest.mark.parametrize("fit", ["inside", "cover", "pad"])
@pytest.mark.parametrize("size", [(2000, 1), (1, 2000), (1, 1)])
def test_the_thinnest_picture_fits_every_way(fit: str, size: tuple[int, int]) -> None:
    assert min(made(plain("RGB", RED, size), "64x32", fit=fit).size) >= 1


@pytest.mark.parametrize(
    ("gravity", "rows"),
    [("center", (WHITE, RED, WHITE)), ("top", (RED, WHITE, WHITE)), ("bottom", (WHITE, WHITE, RED))],
)
def test_a_padded_picture_stands_in_its_box_by_gravity(gravity: str, rows: tuple[tuple[int, ...], ...]) -> None:
    picture = made(across(), 60, fit="pad", gravity=gravity)

    assert picture.size == (60, 60)
    assert [colour(picture, 0.1, y)[:3] for y in (0.1, 0.5, 0.9)] == list(rows)


def test_a_small_picture_is_padded_without_being_enlarged() -> None:
    picture = made(plain("RGB", RED, (10, 10)), "30x50", fit="pad", background="#0000ff")

    assert picture.size == (30, 50)
    assert [picture.getpixel(at) for at in ((9, 19), (10, 20), (19, 29), (20, 30))] == [BLUE, RED, RED, BLUE]


@pytest.mark.parametrize(("kind", "wanted"), [("png", CLEAR), ("webp", CLEAR), ("jpeg", (*WHITE, 255))])
def test_padding_is_transparent_where_the_format_can(kind: str, wanted: tuple[int, ...]) -> None:
    found = colour(made(across(), 60, kind, fit="pad", background="transparent"), 0.5, 0.1)

    assert found[3] == wanted[3]
    assert wanted[3] == 0 or near(found, wanted)


def test_a_transparent_picture_stays_transparent_in_a_coloured_box() -> None:
    picture = made(plain("RGBA", CLEAR, (300, 100)), 60, fit="pad", background="#00ff00")

    assert colour(picture, 0.5, 0.1) == (*GREEN, 255)
    assert colour(picture)[3] == 0


def test_the_background_stands_behind_a_transparent_picture_in_a_jpeg() -> None:
    half = plain("RGBA", (*RED, 128))

    assert near(colour(made(half, 8, "jpeg", background="#0000ff")), (128, 0, 127))
    assert near(colour(made(half, 8, "jpeg")), (255, 127, 127))


def test_a_box_holds_for_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter: its left side is the top
    lying = saved(across((600, 300)), "JPEG", exif=exif, quality=95, subsampling=0)

    picture = made(lying, "60x40", fit="cover", gravity="top")

    assert picture.size == (60, 40)
    assert near(colour(picture, 0.5, 0.3), RED)


def test_a_lying_jpeg_keeps_the_detail_that_its_upright_box_needs() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    hairlines = Image.new("L", (1, 400))
    hairlines.putdata([255 * (row % 2) for row in range(400)])
    lying = saved(hairlines.resize((1600, 400)), "JPEG", exif=exif, quality=100)

    picture = made(lying, "400x50", fit="cover")

    assert picture.size == (400, 50)
    assert picture.convert("L").getextrema() == (0, 255)


def test_sizes_of_every_shape_come_from_one_decode() -> None:
    drafts = run(saved(across(), "PNG"), ("20x40", 90, "90x30"), fit="cover")

    assert {draft.name: (draft.facts["width_px"], draft.facts["height_px"]) for draft in drafts} == {
        "20x40.png": (20, 40),
        "90.png": (90, 90),
        "90x30.png": (90, 30),
    }


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"sizes": ["0x5"]}, 'or boxes such as "400x300"'),
        ({"sizes": ["16384x5"]}, "each from 1 to 16383"),
        ({"sizes": ["5x"]}, "boxes such as"),
        ({"fit": "contain"}, 'write "inside", "cover" or "pad"'),
        ({"fit": ["pad"]}, 'write "inside", "cover" or "pad"'),
        ({"gravity": "middle"}, 'write "center", "top"'),
        ({"background": "red"}, 'write a colour such as "#ffffff", or "transparent"'),
        ({"background": "#fff"}, "write a colour"),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_with_a_right_one(options: dict[str, Any], remedy: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        run(b"", **options)

    assert refused.value.message.startswith(f"options.{next(iter(options))}: ")
    assert remedy in refused.value.message
