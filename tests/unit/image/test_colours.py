"""Renditions are in sRGB and keep transparency, for every colour mode of the original."""

from typing import Any

import pytest

from tests.unit.image.pictures import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    colour,
    near,
    palette,
    plain,
    profile,
    rendered,
    saved,
)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_an_embedded_profile_is_turned_into_srgb(mode: str, kind: str) -> None:
    lossless = {"lossless": True} if kind == "WEBP" else {}

    picture = rendered(saved(plain(mode, RED), kind, icc_profile=profile(swapped=True), **lossless))

    assert near(colour(picture), (*BLUE, 255))
    assert "icc_profile" not in picture.info


def test_an_embedded_srgb_profile_changes_nothing() -> None:
    assert near(colour(rendered(saved(plain("RGB", (10, 120, 230)), "PNG", icc_profile=profile()))), (10, 120, 230))


def test_a_palette_is_turned_into_srgb_too() -> None:
    picture = rendered(saved(palette(RED, GREEN), "PNG", icc_profile=profile(swapped=True), transparency=b"\xff\x00"))

    assert near(colour(picture, 0.1), (*BLUE, 255))
    assert colour(picture, 0.9)[3] == 0


def test_a_transparent_colour_stays_transparent_in_srgb() -> None:
    picture = rendered(saved(plain("RGB", RED), "PNG", icc_profile=profile(swapped=True), transparency=RED))

    assert colour(picture)[3] == 0


@pytest.mark.parametrize(
    "data", [b"garbage", profile()[:200], b"\0" * 128, profile()[:-1] + b"!"], ids=["text", "cut", "empty", "last"]
)
def test_an_unreadable_profile_is_ignored(data: bytes) -> None:
    assert near(colour(rendered(saved(plain("RGB", RED), "PNG", icc_profile=data))), RED)


@pytest.mark.parametrize(("mode", "stored"), [("L", 76), ("CMYK", (0, 255, 255, 0))])
def test_a_profile_for_other_channels_is_ignored(mode: str, stored: Any) -> None:
    with_profile = rendered(saved(plain(mode, stored), "TIFF", icc_profile=profile(swapped=True)))

    assert near(colour(with_profile), colour(rendered(saved(plain(mode, stored), "TIFF"))))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("ink", "seen"), [((0, 255, 255, 0), RED), ((255, 255, 0, 0), BLUE), ((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0, 0, 0))]
)
def test_cmyk_looks_as_printed(ink: tuple[int, ...], seen: tuple[int, ...], kind: str) -> None:
    assert near(colour(rendered(saved(plain("CMYK", ink), kind), kind="jpeg")), seen)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("deep", "seen"), [(0, 0), (0x4000, 64), (0x8000, 128), (0xFFFF, 255)])
def test_sixteen_bits_of_grey_become_eight(deep: int, seen: int, kind: str) -> None:
    assert near(colour(rendered(saved(plain("I;16", deep), kind))), (seen, seen, seen))


@pytest.mark.parametrize(("white", "seen"), [(1.0, 128), (255.0, 128), (4000.0, 128), (0.0, 0)])
def test_grey_in_floating_point_keeps_its_shades(white: float, seen: int) -> None:
    picture = plain("F", white / 2)
    picture.putpixel((0, 0), white)

    pixel = rendered(saved(picture, "TIFF")).convert("L").getpixel((4, 4))
    assert pixel == pytest.approx(seen, abs=4)


@pytest.mark.parametrize(("mode", "value", "seen"), [("1", 1, 255), ("1", 0, 0), ("L", 77, 77), ("LA", (77, 255), 77)])
def test_grey_stays_grey(mode: str, value: Any, seen: int) -> None:
    assert near(colour(rendered(saved(plain(mode, value), "PNG"))), (seen, seen, seen, 255))


# ---- transparency


@pytest.fixture(params=["RGBA", "LA", "palette", "palette by index", "RGB by colour", "grey by value", "GIF", "WEBP"])
def see_through(request: pytest.FixtureRequest) -> bytes:
    """A fully transparent picture."""
    return {
        "RGBA": lambda: saved(plain("RGBA", (0, 0, 0, 0)), "PNG"),
        "LA": lambda: saved(plain("LA", (0, 0)), "PNG"),
        "palette": lambda: saved(palette(RED, GREEN), "PNG", transparency=b"\0\0"),
        "palette by index": lambda: saved(plain("P", 0), "PNG", transparency=0),
        "RGB by colour": lambda: saved(plain("RGB", RED), "PNG", transparency=RED),
        "grey by value": lambda: saved(plain("L", 7), "PNG", transparency=7),
        "GIF": lambda: saved(plain("P", 0), "GIF", transparency=0),
        "WEBP": lambda: saved(plain("RGBA", (0, 0, 0, 0)), "WEBP"),
    }[request.param]()


@pytest.mark.parametrize("kind", ["webp", "png", "avif"])
def test_transparency_is_kept_where_the_format_can(see_through: bytes, kind: str) -> None:
    assert colour(rendered(see_through, kind=kind))[3] == 0


def test_transparency_becomes_white_where_the_format_cannot(see_through: bytes) -> None:
    assert near(colour(rendered(see_through, kind="jpeg")), WHITE)


def test_half_transparent_becomes_half_white_in_a_jpeg() -> None:
    assert near(colour(rendered(saved(plain("RGBA", (255, 0, 0, 128)), "PNG"), kind="jpeg")), (255, 127, 127))


def test_a_picture_without_transparency_gets_none() -> None:
    assert rendered(saved(palette(RED, GREEN), "PNG")).mode == "RGB"
