"""HEIC and HEIF: damage, too many pixels and other codecs are refused by name."""

import struct

import pytest

from shared.processors import extras
from tests.unit.image import heics
from tests.unit.image.heics import box, coded, container, grid, size_of, stored
from tests.unit.image.pictures import reason, rendered

pytestmark = pytest.mark.skipif(not extras.is_installed("heic"), reason=extras.remedy("heic"))


@pytest.mark.parametrize("kept", [0.02, 0.05, 0.5, 0.9, 0.999])
def test_a_picture_cut_short_is_truncated(kept: float) -> None:
    whole = stored("noise")

    assert reason(whole[: int(len(whole) * kept)]) == "truncated"


def test_a_cut_trailer_is_no_fault() -> None:
    trailer = box(b"free", bytes(1000))

    assert rendered(stored("quarters") + trailer[:-300]).size == (64, 64)


@pytest.mark.parametrize("kind", [b"hvcC", b"iloc", b"iprp", b"iinf"])
def test_a_broken_container_is_corrupt(kind: bytes) -> None:
    data = bytearray(stored("quarters"))
    at = data.index(kind)
    data[at : at + 12] = b"\xff" * 12

    assert reason(bytes(data)) == "corrupt"


@pytest.mark.parametrize("overwritten", [bytes(4096), struct.pack("<1024i", *range(1024))])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_overwritten_pixels_are_corrupt(overwritten: bytes, part: float) -> None:
    """libde265 draws something in their place."""
    whole = stored("noise")
    at = int(len(whole) * part)

    assert reason((whole[:at] + overwritten)[: len(whole)] + whole[at + len(overwritten) :]) == "corrupt"


def test_an_overwritten_tile_is_corrupt() -> None:
    tiles = [coded(name) for name in ("red", "green", "blue", "noise")]
    broken = heics.Item(b"hvc1", tiles[3].data[:500] + bytes(len(tiles[3].data) - 500), tiles[3].properties)

    assert reason(container(*tiles[:3], broken, grid(2, 2, 128, 128, (1, 2, 3, 4)), primary=5)) == "corrupt"


def test_a_file_that_states_more_pixels_than_the_limit_is_refused_by_its_header() -> None:
    huge = heics.Item(b"hvc1", coded("red").data, (size_of(9000, 9000), *coded("red").properties[1:]))

    assert reason(container(huge)) == "too_many_pixels"
    assert reason(container(coded("red"), grid(1, 1, 60_000, 60_000, (1,)), primary=2)) == "too_many_pixels"
    assert reason(stored("quarters"), max_pixels=128 * 128 - 1) == "too_many_pixels"


def test_a_picture_is_no_larger_than_its_header_states() -> None:
    small = heics.Item(b"hvc1", coded("noise").data, (size_of(8, 8), *coded("noise").properties[1:]))

    assert reason(container(small)) == "corrupt"


def test_a_grid_of_itself_is_corrupt() -> None:
    assert reason(container(grid(1, 1, 64, 64, (1,)), coded("red"))) == "corrupt"
    assert reason(container(coded("red"), grid(2, 2, 128, 128, (1, 1, 1, 9)), primary=2)) == "corrupt"


@pytest.mark.parametrize("kind", [b"jpeg", b"avc1", b"j2k1", b"vvc1", b"unci"])
def test_another_codec_is_unsupported(kind: bytes) -> None:
    assert reason(container(heics.Item(kind, bytes(100), (size_of(8, 8),)), brand=b"mif1")) == "unsupported"
