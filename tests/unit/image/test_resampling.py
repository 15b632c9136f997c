"""Resampling gives the same pictures with cykooz-resizer and with Pillow."""

import platform
import sys

import pytest
from PIL import Image, ImageChops

from shared.processors.picture import resampling
from tests.unit.image.pictures import noise

FAST = pytest.mark.skipif(
    sys.platform == "linux" and platform.machine() == "aarch64", reason="cykooz-resizer has no wheel for Linux on ARM"
)
SIZES = ((160, 107), (64, 43), (7, 5), (1, 1))


@pytest.fixture(scope="module")
def detail() -> Image.Image:
    """Grey grain, some pixels wide. Near black and white, overshoots are cut off once or twice, and differ."""
    return noise(60, 40).point(lambda value: 64 + value // 2).resize((400, 267), Image.Resampling.BICUBIC)


def in_mode(detail: Image.Image, mode: str) -> Image.Image:
    """A picture whose channels differ; nothing in it is nearly transparent, where colours are no longer exact."""
    channels = [detail.rotate(180 * (place % 2)) for place in range(len(Image.new(mode, (1, 1)).getbands()))]
    if mode.endswith("A"):
        channels[-1] = channels[-1].point(lambda value: 128 + value // 2)
    return Image.merge(mode, channels) if len(channels) > 1 else channels[0]


def difference(one: Image.Image, other: Image.Image) -> int:
    assert (one.mode, one.size) == (other.mode, other.size)
    return max(max(band.tobytes()) for band in ImageChops.difference(one, other).split())


@FAST
def test_the_fast_library_is_installed() -> None:
    assert resampling.IS_FAST, "run make setup"


@FAST
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
def test_a_resized_picture_is_that_of_exact_lanczos_resampling(detail: Image.Image, mode: str, size: tuple[int, int]) -> None:
    picture = in_mode(detail, mode)

    assert difference(resampling.resized(picture, size), picture.resize(size, Image.Resampling.LANCZOS)) <= 3


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
def test_pillow_alone_makes_nearly_the_same_picture(detail: Image.Image, mode: str) -> None:
    picture = in_mode(detail, mode)

    for size in SIZES:
        assert difference(resampling.by_pillow(picture, size), resampling.resized(picture, size)) <= 8


def test_the_original_is_not_changed(detail: Image.Image) -> None:
    picture = in_mode(detail, "RGBA")
    before = picture.tobytes()

    resampling.resized(picture, (64, 43))

    assert picture.tobytes() == before
