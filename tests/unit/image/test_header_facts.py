"""Facts of the header and of EXIF data: frames, depth, colours, orientation, time, camera and place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from shared.processors.picture import avif
from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, GREEN, RED, palette, plain, saved

EXIF = ExifTags.IFD.Exif
GPS = ExifTags.IFD.GPSInfo
NORTH_EAST: Mapping[int, Any] = {1: "N", 2: (48.0, 51.0, 29.9), 3: "E", 4: (2.0, 17.0, 40.2)}
SOUTH_WEST: Mapping[int, Any] = {1: "S", 2: (33.0, 30.0, 0.0), 3: "W", 4: (70.0, 45.0, 36.0)}


def facts(data: bytes, **options: Any) -> Mapping[str, Any]:
    return run_processor("image.facts", data, **options).facts


def photographed(
    kind: str = "JPEG",
    main: Mapping[int, Any] | None = None,
    own: Mapping[int, Any] | None = None,
    gps: Mapping[int, Any] | None = None,
) -> bytes:
    exif = Image.Exif()
    exif.update(main or {})
    for directory, values in ((EXIF, own), (GPS, gps)):
        if values:
            exif.get_ifd(directory).update(values)
    return saved(plain("RGB", RED), kind, exif=exif)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_frames_of_an_animation_are_counted(kind: str) -> None:
    more = [plain("RGB", GREEN), plain("RGB", BLUE)]

    assert facts(saved(plain("RGB", RED), kind, save_all=True, append_images=more))["frames"] == 3
    assert facts(saved(plain("RGB", RED), kind))["frames"] == 1


def test_only_whole_frames_of_a_short_gif_are_counted() -> None:
    animation = saved(plain("RGB", RED), "GIF", save_all=True, append_images=[plain("RGB", GREEN), plain("RGB", BLUE)])

    assert facts(animation[:-4])["frames"] == 2


@pytest.mark.parametrize(
    ("data", "depth", "space"),
    [
        (saved(plain("RGB", RED), "JPEG"), 8, "rgb"),
        (saved(plain("L", 5), "JPEG"), 8, "grey"),
        (saved(plain("CMYK", (1, 2, 3, 4)), "JPEG"), 8, "cmyk"),
        (saved(plain("1", 1), "PNG"), 1, "grey"),
        (saved(plain("I;16", 9), "PNG"), 16, "grey"),
        (saved(palette(*[(step, 0, 0) for step in range(16)]), "PNG"), 4, "rgb"),
        (saved(plain("1", 1), "TIFF"), 1, "grey"),
        (saved(plain("I;16", 9), "TIFF"), 16, "grey"),
        (saved(plain("LAB", (9, 9, 9)), "TIFF"), 8, "lab"),
        (saved(plain("RGBA", (1, 2, 3, 4)), "WEBP"), 8, "rgb"),
        (saved(plain("RGB", RED), "AVIF"), 8, "rgb"),
    ],
    ids=range(11),
)
def test_depth_and_colour_space_are_those_that_are_stored(data: bytes, depth: int, space: str) -> None:
    found = facts(data)

    assert (found["bit_depth"], found["colour_space"]) == (depth, space)


def test_the_depth_of_an_avif_is_the_stated_one(tmp_path: Path) -> None:
    deep = saved(plain("RGB", RED), "AVIF").replace(b"pixi\0\0\0\0\3\x08", b"pixi\0\0\0\0\3\x0a")
    (tmp_path / "deep.avif").write_bytes(deep)

    assert avif.bit_depth(tmp_path / "deep.avif") == 10


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(("stored", "wanted"), [(1, 1), (6, 6), (8, 8), (0, 1), (9, 1)])
def test_the_orientation_is_the_stored_one_or_upright(kind: str, stored: int, wanted: int) -> None:
    assert facts(photographed(kind, {0x0112: stored}))["orientation"] == wanted


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ({0x9003: "2024:05:01 12:34:56"}, "2024-05-01T12:34:56"),
        ({0x9003: "2024:05:01 12:34:56", 0x9011: "+02:00"}, "2024-05-01T12:34:56+02:00"),
        ({0x9003: "2024:05:01 12:34:56", 0x9011: "   :  "}, "2024-05-01T12:34:56"),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9011: "+02:00"}, None),
    ],
    ids=range(5),
)
def test_the_time_taken_is_that_of_the_camera(own: Mapping[int, Any], wanted: str | None) -> None:
    assert facts(photographed(own=own)).get("taken_at") == wanted


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_format_with_exif_data_names_its_camera(kind: str) -> None:
    assert facts(photographed(kind, {0x010F: "Acme", 0x0110: "One"}))["camera"] == "Acme One"


@pytest.mark.parametrize(
    ("make", "model", "wanted"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("Acme\0\0", " One\n", "Acme One"),
        ("", "One", "One"),
        ("A", "B" * 900, "A " + "B" * 98),
    ],
    ids=range(4),
)
def test_a_camera_is_named_once_and_in_short(make: str, model: str, wanted: str) -> None:
    assert facts(photographed(main={0x010F: make, 0x0110: model}))["camera"] == wanted


@pytest.mark.parametrize(
    ("gps", "wanted"),
    [(NORTH_EAST, {"latitude": 48.858306, "longitude": 2.2945}), (SOUTH_WEST, {"latitude": -33.5, "longitude": -70.76})],
    ids=["north-east", "south-west"],
)
def test_the_place_is_given_only_on_request(gps: Mapping[int, Any], wanted: Mapping[str, float]) -> None:
    data = photographed(gps=gps)

    assert "gps" not in facts(data)
    assert facts(data, add=["gps"])["gps"] == wanted


@pytest.mark.parametrize(
    "gps", [{1: "N"}, {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)}], ids=["half", "off the earth"]
)
def test_a_place_that_is_none_is_left_out(gps: Mapping[int, Any]) -> None:
    assert "gps" not in facts(photographed(gps=gps), add=["gps"])


def test_broken_exif_data_give_no_facts() -> None:
    found = facts(saved(plain("RGB", RED), "JPEG", exif=b"garbage! garbage!"), add=["gps"])

    assert found["orientation"] == 1
    assert not found.keys() & {"camera", "taken_at", "gps"}
