"""HEIC and HEIF: right pixels, colours and facts of every kind that phones write."""

import io
import struct

import pytest
from PIL import Image

from shared.processors import extras
from shared.testing import run_processor
from tests.unit.image import heics
from tests.unit.image.heics import box, coded, container, exif, exif_data, full, grid, nclx, stored, transform
from tests.unit.image.pictures import BLUE, GREEN, RED, WHITE, colour, near, profile, rendered

pytestmark = pytest.mark.skipif(not extras.is_installed("heic"), reason=extras.remedy("heic"))

QUARTERS = (RED, GREEN, BLUE, WHITE)
#: Properties of the container for each orientation of EXIF data: quarter turns to the left, then the mirror's axis.
TURNED = {1: (), 2: ("m1",), 3: ("r2",), 4: ("m0",), 5: ("r1", "m0"), 6: ("r3",), 7: ("r1", "m1"), 8: ("r1",)}
#: Where the quarters of the stored picture are seen: left and right above, left and right below (EXIF 2.32 §4.6.5).
SEEN = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    return [colour(picture, x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]


def shows(picture: Image.Image, wanted: tuple[tuple[int, ...], ...]) -> bool:
    return all(near(found, one) for found, one in zip(corners(picture), wanted, strict=True))


# ---- pixels


def test_a_picture_has_its_pixels_and_facts() -> None:
    assert shows(rendered(stored("quarters")), QUARTERS)
    assert run_processor("image.facts", stored("quarters")).facts == {
        "width_px": 128,
        "height_px": 128,
        "format": "heic",
        "frames": 1,
        "bit_depth": 8,
        "colour_space": "rgb",
        "orientation": 1,
    }


@pytest.mark.parametrize("number", TURNED)
@pytest.mark.parametrize("in_exif", [1, 6])
def test_the_container_turns_a_picture_once_and_exif_data_never(number: int, in_exif: int) -> None:
    turns = [transform(word) for word in TURNED[number]]
    data = container(coded("quarters", *turns), exif(exif_data(orientation=in_exif)))

    assert shows(rendered(data), SEEN[number])
    assert run_processor("image.facts", data).facts["orientation"] == number


def test_the_size_is_that_of_the_upright_picture() -> None:
    facts = run_processor("image.facts", container(coded("ten", transform("r1")))).facts

    assert (facts["width_px"], facts["height_px"]) == (64, 256)


def test_facts_come_from_exif_data() -> None:
    facts = run_processor("image.facts", container(coded("red"), exif(exif_data())), add=["gps"]).facts

    assert (facts["camera"], facts["taken_at"]) == ("Apple iPhone 15", "2026-11-28T10:20:30+02:00")
    assert facts["gps"] == {"latitude": 52.5, "longitude": -13.25}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("broken", [b"", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff\x12\x01"])
def test_broken_exif_data_harm_no_picture(broken: bytes) -> None:
    data = container(coded("quarters", transform("r2")), exif(broken))

    assert shows(rendered(data), SEEN[3])
    assert run_processor("image.facts", data).facts["orientation"] == 3


def test_the_main_picture_is_the_one_that_the_file_names() -> None:
    data = container(coded("red"), coded("blue"), coded("green"), primary=2)

    assert near(colour(rendered(data)), BLUE)
    assert run_processor("image.facts", data).facts["frames"] == 1


def test_tiles_make_one_picture() -> None:
    tiles = [coded(name) for name in ("red", "green", "blue", "white")]
    picture = rendered(container(*tiles, grid(2, 2, 128, 128, (1, 2, 3, 4)), primary=5), 128)

    assert (picture.size, shows(picture, QUARTERS)) == ((128, 128), True)


def test_a_grid_cuts_its_last_tiles() -> None:
    tiles = [coded(name) for name in ("red", "green", "blue", "white")]
    picture = rendered(container(*tiles, grid(2, 2, 100, 72, (1, 2, 3, 4)), primary=5), 100)

    assert (picture.size, near(colour(picture, 0.99, 0.99), WHITE), near(colour(picture, 0.99, 0.8), GREEN)) == (
        (100, 72),
        True,
        True,
    )


def test_thumbnails_and_depth_are_no_pictures() -> None:
    thumbnail = heics.Item(*_fields(coded("green")), ((b"thmb", (1,)),))
    kind = full(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0")
    depth = heics.Item(*_fields(coded("grey10", kind)), ((b"auxl", (1,)),))
    data = container(coded("blue"), thumbnail, depth)

    assert near(colour(rendered(data)), BLUE)
    assert run_processor("image.facts", data).facts["frames"] == 1


def _fields(item: heics.Item) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    return item.kind, item.data, item.properties


def test_the_clean_aperture_is_cut_out() -> None:
    aperture = box(b"clap", struct.pack(">IIIIiIiI", 80, 1, 80, 1, 24, 1, 24, 1))
    picture = rendered(container(coded("quarters", aperture)))

    assert (picture.size, shows(picture, (WHITE,) * 4)) == ((64, 64), True)


@pytest.mark.parametrize("name", ["alpha", "premultiplied"])
def test_transparency_is_kept(name: str) -> None:
    picture = rendered(stored(name))

    assert [found[3] for found in corners(picture)] == [0, 255, 255, 128]
    assert near(colour(picture, 0.75, 0.75), WHITE)


@pytest.mark.parametrize("name", ["ten", "grey10"])
def test_ten_bits_are_a_ramp_from_black_to_white(name: str) -> None:
    data = stored(name)
    picture = rendered(data, 256)
    found = [colour(picture, (x + 0.5) / 256)[:3] for x in range(256)]

    assert all(abs(channel - x) <= 3 for x, pixel in enumerate(found) for channel in pixel)
    assert run_processor("image.facts", data).facts["bit_depth"] == 10


# ---- colours


@pytest.mark.parametrize(
    ("colours", "seen"),
    [
        (nclx(1, 13), (255, 255, 255)),
        (nclx(12, 13), (255, 255, 255)),
        (nclx(9, 16), (255, 255, 255)),
    ],
)
def test_white_stays_white(colours: bytes, seen: tuple[int, ...]) -> None:
    assert near(colour(rendered(container(coded("white", colours)))), seen)


def test_colours_that_srgb_lacks_are_those_of_its_edge() -> None:
    """Green of Display P3 is outside sRGB: red would be below 0, green above 255."""
    assert near(colour(rendered(container(coded("green", nclx(12, 13))))), GREEN)


@pytest.mark.parametrize(
    ("primaries", "transfer", "grey", "seen"),
    [
        (1, 13, 128, 128),
        (12, 13, 128, 128),
        (9, 14, 128, 128),
        # ST 2084: a signal of 128/255 is 93 cd/m², 0.46 of white at 203; sRGB shows 0.46 as 181.
        (9, 16, 128, 181),
        # BT.2100: 0.502 is 0.084 of the scene's light, white 0.265; to the power of 1.2 0.252, which sRGB shows as 138.
        (9, 18, 128, 138),
        (1, 4, 128, 129),
        (1, 8, 128, 188),
    ],
)
def test_greys_have_the_light_that_their_curve_gives(primaries: int, transfer: int, grey: int, seen: int) -> None:
    picture = rendered(container(coded("ten", nclx(primaries, transfer))), 256)

    assert all(abs(channel - seen) <= 3 for channel in colour(picture, (grey + 0.5) / 256)[:3])


def test_a_profile_wins_over_numbers() -> None:
    swapped = box(b"colr", b"prof", profile(swapped=True))

    assert near(colour(rendered(container(coded("red", swapped)))), BLUE)
    assert near(colour(rendered(container(coded("red", nclx(12, 13), swapped)))), BLUE)


def test_no_metadata_are_in_a_rendition() -> None:
    data = container(coded("red", box(b"colr", b"prof", profile())), exif(exif_data()))
    (made,) = run_processor("image.renditions", data, sizes=(64,), formats=("webp",)).outputs

    assert b"iPhone" not in made.data
    with Image.open(io.BytesIO(made.data)) as picture:
        assert not {"exif", "icc_profile", "xmp"} & set(picture.info)
