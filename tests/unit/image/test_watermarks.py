"""Watermarks: the operator's picture in front of each rendition, with its place, size and opacity."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared import processors
from shared.errors import BadConfiguration, BadFile
from shared.model import recipe
from shared.sandbox.service import Sandbox
from shared.testing import Produced, run_processor
from tests.unit.image.gifs import Frame, gif
from tests.unit.image.pictures import BLUE, GREEN, RED, WHITE, colour, near, plain, saved

LOGO = "assets/logo.png"
SOLID = {"object": LOGO, "opacity": 1, "scale": 0.25, "margin": 10}
RED_PICTURE = saved(plain("RGB", RED, (200, 100)), "PNG")
#: Twice as wide as high.
BLUE_LOGO = saved(plain("RGB", BLUE, (40, 20)), "PNG")


def run(data: bytes = RED_PICTURE, logo: bytes = BLUE_LOGO, watermark: Any = SOLID, **options: Any) -> list[Produced]:
    return run_processor(
        "image.renditions", data, {LOGO: logo}, **({"sizes": [200], "formats": ["png"]} | options), watermark=watermark
    ).outputs


def marked(*given: Any, **options: Any) -> Image.Image:
    (produced,) = run(*given, **options)
    with Image.open(io.BytesIO(produced.data)) as opened:
        opened.load()
        return opened


def box(picture: Image.Image, paint: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The smallest box with all pixels of this colour."""
    places = [
        (x, y)
        for y in range(picture.height)
        for x in range(picture.width)
        if near(picture.convert("RGB").getpixel((x, y)), paint)  # type: ignore[arg-type]
    ]
    across, down = zip(*places, strict=True)
    return min(across), min(down), max(across) + 1, max(down) + 1


@pytest.mark.parametrize(
    ("gravity", "wanted"),
    [
        ("top-left", (10, 10, 60, 35)),
        ("top", (75, 10, 125, 35)),
        ("top-right", (140, 10, 190, 35)),
        ("left", (10, 37, 60, 62)),
        ("center", (75, 37, 125, 62)),
        ("right", (140, 37, 190, 62)),
        ("bottom-left", (10, 65, 60, 90)),
        ("bottom", (75, 65, 125, 90)),
        ("bottom-right", (140, 65, 190, 90)),
    ],
)
def test_it_stands_where_gravity_and_margin_put_it(gravity: str, wanted: tuple[int, int, int, int]) -> None:
    assert box(marked(watermark=SOLID | {"gravity": gravity}), BLUE) == wanted


def test_it_has_its_share_of_the_width_of_each_rendition() -> None:
    boxes = {
        produced.name: box(Image.open(io.BytesIO(produced.data)), BLUE)
        for produced in run(sizes=[200, 100, "40x40"], fit="pad", watermark=SOLID | {"margin": 0})
    }

    assert boxes == {"200.png": (150, 175, 200, 200), "100.png": (75, 88, 100, 100), "40x40.png": (30, 35, 40, 40)}


def test_it_is_smaller_where_its_height_does_not_fit() -> None:
    high = saved(plain("RGB", BLUE, (10, 40)), "PNG")

    assert box(marked(RED_PICTURE, high, SOLID | {"margin": 15, "scale": 1}), BLUE) == (167, 15, 185, 85)


def test_its_margin_is_at_most_a_quarter_of_the_shorter_edge() -> None:
    assert box(marked(sizes=[24]), BLUE) == (15, 6, 21, 9)


@pytest.mark.parametrize(("alpha", "opacity"), [(255, 0.5), (128, 1), (255, 0.25), (128, 0.5)])
def test_opacity_and_the_transparency_of_the_logo_mix_the_colours(alpha: int, opacity: float) -> None:
    picture = marked(RED_PICTURE, saved(plain("RGBA", (*BLUE, alpha), (40, 20)), "PNG"), SOLID | {"opacity": opacity})
    share = alpha / 255 * opacity

    found = picture.getpixel((160, 80))

    assert isinstance(found, tuple)
    assert all(abs(one - other) <= 1 for one, other in zip(found, (255 * (1 - share), 0, 255 * share), strict=True))
    assert picture.getpixel((10, 10)) == RED


def test_it_covers_a_transparent_picture_too() -> None:
    picture = marked(saved(plain("RGBA", (*RED, 0), (200, 100)), "PNG"))

    assert picture.getpixel((160, 80)) == (*BLUE, 255)
    assert picture.getpixel((10, 10))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("kind", ["webp", "avif", "jpeg"])
def test_every_format_has_it(kind: str) -> None:
    assert near(colour(marked(formats=[kind]), 0.8, 0.75), BLUE)


def test_a_transparent_picture_has_it_before_the_background_of_a_jpeg() -> None:
    picture = marked(saved(plain("RGBA", (*RED, 0), (200, 100)), "PNG"), formats=["jpeg"])

    assert near(colour(picture, 0.8, 0.75), BLUE)
    assert near(colour(picture, 0.1, 0.1), WHITE)


def test_the_logo_is_upright_and_in_srgb() -> None:
    two = plain("RGB", GREEN, (20, 40))
    two.paste(BLUE, (0, 0, 20, 20))  # stored upside up; turned by a quarter it is wide, with blue on the right
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = marked(RED_PICTURE, saved(two, "PNG", exif=exif))

    assert near(colour(picture, 145 / 200, 0.75), GREEN)
    assert near(colour(picture, 185 / 200, 0.75), BLUE)


def test_each_frame_of_an_animation_has_it() -> None:
    moving = gif((80, 40), Frame((0, 0, 80, 40), [0], 1, 10), Frame((0, 0, 80, 40), [1], 1, 10))
    picture = marked(moving, BLUE_LOGO, SOLID | {"margin": 0}, sizes=[80], formats=["webp"], animation="keep", quality=100)
    seen = []
    for number in range(2):
        picture.seek(number)
        seen.append((colour(picture, 0.1, 0.1), colour(picture, 0.9, 0.9)))

    assert [near(corner, paint) for (corner, _), paint in zip(seen, (RED, GREEN), strict=True)] == [True, True]
    assert all(near(stamped, BLUE) for _, stamped in seen)


def test_smaller_sizes_are_not_made_from_a_marked_one() -> None:
    drafts = {produced.name: produced.data for produced in run(sizes=[200, 40], watermark=SOLID | {"gravity": "top-left"})}
    with Image.open(io.BytesIO(drafts["40.png"])) as small:
        assert box(small, BLUE)[:2] == (5, 5)  # a quarter of 20
        assert small.getpixel((3, 3)) == RED


def test_a_child_of_the_sandbox_has_it_too(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "source").write_bytes(RED_PICTURE)
    (tmp_path / "logo").write_bytes(BLUE_LOGO)
    processor = processors.find("image.renditions")
    exact = recipe("a", processor.name, processor.version, processor.check({"sizes": [200], "watermark": SOLID}))
    sandbox = Sandbox([processor.name], 1 << 30)

    ran = sandbox.run(exact, tmp_path / "source", tmp_path / "folder", processor.limits, {LOGO: tmp_path / "logo"})
    sandbox.stop()

    (draft,) = ran.made().drafts
    with Image.open(draft.path) as picture:
        assert near(colour(picture, 0.8, 0.75), BLUE)


# ---- faults


@pytest.mark.parametrize(
    ("logo", "message"),
    [
        (b"no picture", "the watermark assets/logo.png cannot be used: the file is not a picture"),
        (BLUE_LOGO[:40], "the watermark assets/logo.png cannot be used: "),
        (saved(plain("L", 0, (4096, 4096)), "PNG"), "the watermark assets/logo.png cannot be used: "),
    ],
    ids=["no picture", "cut short", "too many pixels"],
)
def test_a_logo_that_is_no_picture_fails_with_its_name(logo: bytes, message: str) -> None:
    with pytest.raises(BadFile) as refused:
        run(RED_PICTURE, logo)

    assert refused.value.code == "bad_asset"
    assert refused.value.message.startswith(message)


def test_the_fault_of_the_file_comes_first() -> None:
    with pytest.raises(BadFile) as refused:
        run(b"no picture", b"no picture")

    assert refused.value.code == "not_a_picture"


@pytest.mark.parametrize(
    ("watermark", "message"),
    [
        (LOGO, "watermark: 'assets/logo.png'; write a table such as { object = \"assets/logo.png\" }"),
        ({"scale": 0.2}, "watermark: {'scale': 0.2}; write a table such as"),
        (
            {"object": LOGO, "size": 5},
            "watermark.size: unknown; a watermark has the options object, gravity, margin, opacity, ",
        ),
        ({"object": "logo.png"}, "watermark.object: 'logo.png'; write the name of an object in the results bucket such as "),
        ({"object": "files/cat.jpg"}, "watermark.object: "),
        ({"object": "assets/"}, "watermark.object: "),
        ({"object": "assets/" + "x" * 512}, "watermark.object: "),
        ({"object": 5}, "watermark.object: "),
        ({"object": LOGO, "gravity": "middle"}, "watermark.gravity: 'middle'; write \"center\", "),
        ({"object": LOGO, "margin": -1}, "watermark.margin: -1; write a whole number from 0 to "),
        ({"object": LOGO, "opacity": 0}, "watermark.opacity: 0; write a number above 0, up to 1"),
        ({"object": LOGO, "opacity": True}, "watermark.opacity: True; "),
        ({"object": LOGO, "scale": 1.5}, "watermark.scale: 1.5; "),
    ],
)
def test_a_wrong_option_is_refused_with_a_right_one(watermark: Any, message: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        run(watermark=watermark)

    assert refused.value.message.startswith(f"options.{message}")


def test_it_keeps_its_colour_in_front_of_a_transparent_picture() -> None:
    clear = saved(plain("RGBA", (0, 0, 0, 0), (200, 100)), "PNG")

    picture = marked(clear, BLUE_LOGO, SOLID | {"gravity": "left", "opacity": 0.5, "margin": 0, "scale": 0.5})

    assert near(colour(picture, 0.2), (*BLUE, 128))
    assert colour(picture, 0.8)[3] == 0
