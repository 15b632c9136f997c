"""TIFFs of which a page is chosen, and those that are refused by name or before they take memory."""

import struct

import pytest

from shared.errors import BadFile
from shared.testing import run_processor
from tests.unit.image import tiffs
from tests.unit.image.pictures import colour, plain, reason, rendered, run, saved
from tests.unit.image.tiffs import Page, one, tiff

BOTH_ORDERS = pytest.mark.parametrize("order", ["<", ">"])

COLOURS_32 = struct.pack("<12f", *([0.5] * 12))


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (one(2, 2, COLOURS_32, (32, 32, 32), tiffs.RGB, {tiffs.FORMAT: (3, 3, 3)}), "32-bit floating-point colours"),
        (one(2, 2, bytes(48), (32, 32, 32), tiffs.RGB), "32-bit colours"),
        (one(2, 2, bytes(24), (16, 16, 16), tiffs.LAB), "16-bit Lab colours"),
        (one(2, 2, bytes(20), (8,) * 5, tiffs.CMYK, {tiffs.EXTRA: 2}), "8-bit CMYK colours and extra channels"),
        (one(2, 2, bytes(16), 32, tiffs.BLACK_IS_ZERO), "32-bit greys"),
        (one(2, 2, bytes(16), 32, tiffs.BLACK_IS_ZERO, {tiffs.FORMAT: tiffs.SIGNED}), "32-bit signed greys"),
        (one(2, 2, bytes(8), 16, tiffs.BLACK_IS_ZERO, {tiffs.FORMAT: tiffs.SIGNED}), "16-bit signed greys"),
        (one(2, 2, bytes(32), 64, tiffs.BLACK_IS_ZERO, {tiffs.FORMAT: tiffs.FLOAT}), "64-bit floating-point greys"),
        (one(2, 2, bytes(12), (8, 8, 8), tiffs.RGB, {tiffs.COMPRESSION: 34712}), "compressed as JPEG 2000"),
        (one(2, 2, bytes(12), (8, 8, 8), tiffs.RGB, {tiffs.COMPRESSION: 50001}), "compressed as WebP"),
    ],
)
def test_a_tiff_that_pillow_cannot_read_rightly_is_refused_by_name(page: Page, name: str) -> None:
    with pytest.raises(BadFile, match=name) as refused:
        run(tiff(page))

    assert refused.value.code == "unsupported"


# ---- pages

FULL = one(8, 8, bytes((255, 0, 0)) * 64, (8, 8, 8), tiffs.RGB)
SMALL = one(2, 2, bytes((0, 0, 255)) * 4, (8, 8, 8), tiffs.RGB, {tiffs.SUBFILE: 1})
SENSOR = one(8, 8, bytes(128), 16, tiffs.SENSOR)


def test_a_thumbnail_on_the_first_page_is_passed_over() -> None:
    data = tiff(SMALL, FULL)
    picture = rendered(data)

    assert (picture.size, colour(picture)) == ((8, 8), (255, 0, 0, 255))
    assert run_processor("image.facts", data).facts["width_px"] == 8


def test_a_file_with_a_thumbnail_alone_gives_it() -> None:
    assert rendered(tiff(SMALL)).size == (2, 2)


def test_a_smaller_copy_after_the_picture_changes_nothing() -> None:
    assert rendered(tiff(FULL, SMALL)).size == (8, 8)


def test_a_full_picture_in_a_sub_directory_is_refused_by_name() -> None:
    with pytest.raises(BadFile, match="sub-directory"):
        run(tiff(Page(SMALL.tags, SMALL.strips, (FULL,))))


@pytest.mark.parametrize(
    "page",
    [
        Page(SMALL.tags, SMALL.strips, (SENSOR,)),
        Page({**SMALL.tags, 50706: (1, 4, 0, 0)}, SMALL.strips, (FULL,)),
        SENSOR,
    ],
    ids=["NEF", "DNG", "sensor on the first page"],
)
@BOTH_ORDERS
def test_a_camera_raw_file_is_refused_by_name(page: Page, order: str) -> None:
    with pytest.raises(BadFile, match="a camera raw file") as refused:
        run(tiff(page, order=order))

    assert refused.value.code == "unsupported"


# ---- bombs


def test_a_tiff_of_a_hundred_thousand_strips_is_refused_before_they_are_listed() -> None:
    page = one(1, 50_000, b"", 8, tiffs.BLACK_IS_ZERO, {tiffs.ROWS: 1, tiffs.STRIPS: [8] * 100_001})

    assert reason(tiff(Page(page.tags, (b"x",)))) == "too_much_metadata"


def test_a_tiff_that_claims_more_strips_than_it_has_bytes_is_corrupt() -> None:
    data = bytearray(tiff(Page({**FULL.tags, tiffs.STRIPS: [8] * 4}, FULL.strips)))
    entry = data.index(struct.pack("<HHI", tiffs.STRIPS, 3, 4))
    data[entry + 4 : entry + 8] = struct.pack("<I", 1_000_000)

    assert reason(bytes(data)) == "corrupt"


def test_a_tile_above_the_limit_is_refused() -> None:
    tile = {tiffs.TILE_WIDTH: 32_768, tiffs.TILE_HEIGHT: 32_768, tiffs.TILES: 8, tiffs.TILE_BYTES: 4}

    assert reason(tiff(one(16, 16, b"tile", 8, tiffs.BLACK_IS_ZERO, tile))) == "too_many_pixels"


def test_a_directory_with_too_many_entries_is_refused() -> None:
    tags = dict.fromkeys(range(40000, 45000), 1)

    assert reason(tiff(Page({**FULL.tags, **tags}, FULL.strips))) == "too_much_metadata"


def test_a_directory_that_claims_more_entries_than_the_file_has_is_truncated() -> None:
    data = bytearray(tiff(FULL))
    start = int.from_bytes(data[4:8], "little")
    data[start : start + 2] = b"\xff\xff"

    assert reason(bytes(data)) == "truncated"


def test_a_chain_of_pages_that_ends_in_itself_is_read_once() -> None:
    data = bytearray(tiff(FULL))
    data[-4:] = data[4:8]

    assert rendered(bytes(data)).size == (8, 8)


def test_a_scan_with_one_bit_a_pixel_may_have_five_times_the_pixels() -> None:
    scan = saved(plain("1", 1, (10_000, 9_000)), "TIFF", compression="group4")

    assert colour(rendered(scan)) == (255, 255, 255, 255)
    assert reason(saved(plain("L", 1, (10_000, 9_000)), "TIFF", compression="tiff_lzw")) == "too_many_pixels"
