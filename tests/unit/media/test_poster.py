"""Posters: the picture of a time, upright, in the wanted sizes."""

import io
from typing import Any

import pytest
from PIL import Image

from shared.errors import BadConfiguration, BadFile
from shared.testing import run_processor
from tests.unit.media import clips
from tests.unit.media.clips import H264, film, made, needs_ffmpeg, patterns

pytestmark = needs_ffmpeg
#: Each second has a colour of its own: red, lime, blue.
COLOURS = "color=red:s=64x64:r=10:d=1[a];color=lime:s=64x64:r=10:d=1[b];color=blue:s=64x64:r=10:d=1[c];[a][b][c]concat=n=3"


def poster(data: bytes, **options: Any) -> Image.Image:
    (output,) = run_processor("media.poster", data, **options).outputs
    return Image.open(io.BytesIO(output.data)).convert("RGB")


def name_of(pixel: Any) -> str:
    """The nearest of the colours here."""
    known = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}
    return min(known, key=lambda name: sum((a - b) ** 2 for a, b in zip(known[name], pixel, strict=True)))


@pytest.mark.parametrize(
    ("at", "colour", "second"),
    [(0, "red", 0.0), (1.5, "lime", 1.5), ("50%", "lime", 1.5), ("90%", "blue", 2.7), (60, "red", 0.0)],
)
def test_a_poster_shows_the_wanted_time_and_the_beginning_of_a_film_that_is_shorter(
    at: Any, colour: str, second: float
) -> None:
    made_of = run_processor("media.poster", made("mp4", *patterns(COLOURS), *H264), at=at, format="png")
    picture = Image.open(io.BytesIO(made_of.outputs[0].data))

    assert name_of(picture.getpixel((32, 32))) == colour
    assert made_of.facts == {"at_seconds": second}


def test_posters_have_their_sizes_and_are_never_enlarged() -> None:
    outputs = run_processor("media.poster", film(), sizes=[160, 4000], format="jpeg").outputs

    assert [(one.name, one.content_type, one.facts) for one in outputs] == [
        ("160.jpeg", "image/jpeg", {"width_px": 160, "height_px": 90}),
        ("4000.jpeg", "image/jpeg", {"width_px": 320, "height_px": 180}),
    ]
    assert [Image.open(io.BytesIO(one.data)).size for one in outputs] == [(160, 90), (320, 180)]


@pytest.mark.parametrize(
    ("stored", "top_left", "bottom_right"), [(90, "blue", "red"), (-90, "red", "blue"), (180, "blue", "red")]
)
def test_a_turned_film_is_upright(stored: int, top_left: str, bottom_right: str) -> None:
    """As stored, red is on the left: a clockwise quarter, -90, brings it to the top."""
    picture = poster(clips.turned(stored))
    width, height = picture.size

    assert picture.size == ((160, 80) if stored == 180 else (80, 160))
    assert name_of(picture.getpixel((8, 8))) == top_left
    assert name_of(picture.getpixel((width - 8, height - 8))) == bottom_right


def test_pixels_become_square() -> None:
    assert poster(made("mp4", *patterns("testsrc=s=240x180:r=10:d=1,setsar=4/3"), *H264)).size == (320, 180)


def test_white_of_high_dynamic_range_is_white() -> None:
    """203 cd/m², reference white of ITU-R BT.2408, is 58 % of the curve PQ: grey, where the curve is ignored."""
    white = "color=white:s=64x64:r=10:d=0.2,format=yuv420p10le,lutyuv=y=572:u=512:v=512"
    curve = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    picture = poster(made("mkv", *patterns(f"{white},{curve}"), "-c:v", "ffv1"), format="png")

    assert min(low for low, _high in picture.getextrema()) > 235  # type: ignore[misc]


@pytest.mark.parametrize("data", [clips.song, lambda: made("wav", *patterns("anullsrc=d=1"))], ids=["song", "sound"])
def test_sound_has_no_poster(data: Any) -> None:
    with pytest.raises(BadFile, match="it has no film, only sound") as refused:
        run_processor("media.poster", data())

    assert refused.value.code == "no_output"


@pytest.mark.parametrize(
    ("option", "value"),
    [("at", -1), ("at", "101%"), ("at", "now"), ("at", True), ("sizes", []), ("sizes", [0]), ("sizes", [64, 64]),
     ("sizes", 64), ("format", "gif"), ("format", []), ("quality", 0), ("quality", 50.5)],
)  # fmt: skip
def test_options_of_a_poster_are_checked(option: str, value: Any) -> None:
    with pytest.raises(BadConfiguration, match=rf"^options\.{option}: .*; write "):
        run_processor("media.poster", b"", **{option: value})
