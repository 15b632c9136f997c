"""The looks of a picture: hashes and the dominant colour, made on request."""

from typing import Any

import pytest
from PIL import Image

from shared.errors import BadConfiguration, BadFile
from shared.processors.picture.looks import thumbhash
from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, RED, noise, plain, saved

#: From black at the left to white at the right.
BRIGHTER = Image.linear_gradient("L").rotate(90).convert("RGB")
NOISE = Image.frombytes("RGBA", (12, 9), bytes((place * place * 31 + place * 17) % 251 for place in range(12 * 9 * 4)))


def look(name: str, picture: Image.Image, kind: str = "PNG", **options: Any) -> Any:
    return run_processor("image.facts", saved(picture, kind, **options), add=[name]).facts.get(name)


def halves() -> Image.Image:
    """Brighter to the right above, darker to the right below."""
    picture = BRIGHTER.copy()
    picture.paste(BRIGHTER.transpose(Image.Transpose.FLIP_LEFT_RIGHT).crop((0, 128, 256, 256)), (0, 128))
    return picture


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        (BRIGHTER, "f" * 16),
        (BRIGHTER.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "0" * 16),
        (halves(), "f" * 8 + "0" * 8),
        (plain("RGB", RED), "0" * 16),
    ],
    ids=["brighter", "darker", "halves", "flat"],
)
def test_a_dhash_says_where_the_picture_grows_brighter(picture: Image.Image, wanted: str) -> None:
    assert look("dhash", picture) == wanted


def test_a_dhash_is_that_of_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3

    assert look("dhash", BRIGHTER, "JPEG", exif=exif) == "0" * 16


def test_a_transparent_picture_has_the_dhash_of_one_in_front_of_white() -> None:
    picture = Image.new("RGBA", (256, 256), "black")
    picture.putalpha(Image.linear_gradient("L").rotate(270))

    assert look("dhash", picture) == "f" * 16


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        (NOISE, "XxiCHIYIO8pZLNCxsIX2lYhQYFtb+SyNDg=="),
        (NOISE.convert("RGB"), "YBgGFYocqFuLC5vDsUIgMg5FTokJ"),
        (NOISE.transpose(Image.Transpose.ROTATE_90), "XxiCHAYICUsqPxzVjE9ZCHpZ3640ByVpCw=="),
        (plain("RGBA", (0, 0, 0, 0), (9, 9)), "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="),
    ],
    ids=["transparent", "opaque", "high", "clear"],
)
def test_a_thumbhash_is_that_of_the_reference(picture: Image.Image, wanted: str) -> None:
    """The hashes come from the reference in JavaScript, thumbhash 0.1.1."""
    assert thumbhash(picture) == look("thumbhash", picture) == wanted


def test_the_dominant_colour_is_that_of_most_opaque_pixels() -> None:
    picture = plain("RGBA", (0, 0, 0, 0), (10, 10))
    picture.paste((*BLUE, 255), (0, 0, 3, 10))
    picture.paste((200, 100, 50, 255), (3, 0, 5, 10))

    assert look("dominant_colour", picture) == "#0000ff"


def test_the_dominant_colour_is_the_mean_of_similar_ones() -> None:
    picture = plain("RGB", (200, 100, 50), (10, 10))
    picture.paste((204, 102, 54), (0, 0, 10, 5))
    picture.paste(RED, (0, 0, 3, 10))

    assert look("dominant_colour", picture) == "#ca6534"


def test_a_picture_without_an_opaque_pixel_has_no_dominant_colour() -> None:
    assert look("dominant_colour", plain("RGBA", (9, 9, 9, 0))) is None


def test_looks_need_a_whole_picture() -> None:
    grain = saved(noise(64, 64).convert("RGB"), "PNG")

    with pytest.raises(BadFile) as refused:
        run_processor("image.facts", grain[:-2000], add=["dhash"])

    assert refused.value.code == "truncated"


@pytest.mark.parametrize("add", [["phash"], "dhash", "", [1], None], ids=str)
def test_an_unknown_fact_is_refused_with_the_known_ones(add: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.add: .*; list some of gps, dhash, thumbhash, dominant_colour$"):
        run_processor("image.facts", b"", add=add)
