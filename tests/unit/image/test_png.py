"""PNGs made chunk by chunk: transparency by colour, and damage beside and in the pixels."""

import struct
import zlib
from collections.abc import Sequence

import pytest

from shared.errors import BadFile
from shared.testing import run_processor
from tests.unit.image import pngs
from tests.unit.image.pictures import BLUE, GREEN, RED, colour, near, plain, profile, reason, rendered, run, saved
from tests.unit.image.pngs import broken, chunk, header, pixels, png

ROW = bytes((*RED, *GREEN, *BLUE, 255, 255, 255))
HEADER, PIXELS = header(4, 2, 8, pngs.RGB), pixels(ROW, ROW)
SEEN = [(*RED, 255), (*GREEN, 255), (*BLUE, 255), (255, 255, 255, 255)]


def columns(data: bytes) -> list[tuple[int, ...]]:
    picture = rendered(data)
    return [colour(picture, (x + 0.5) / 4) for x in range(4)]


# ---- one colour is transparent


@pytest.mark.parametrize(
    ("bits", "row", "key", "greys"),
    [
        (1, b"\x50", 1, (0, 255, 0, 255)),
        (2, b"\x1b", 1, (0, 85, 170, 255)),
        (4, b"\x05\xaf", 5, (0, 85, 170, 255)),
        (8, bytes((0, 85, 170, 255)), 85, (0, 85, 170, 255)),
        (16, struct.pack(">4H", 0, 0x5555, 0xAAAA, 0xFFFF), 0x5555, (0, 85, 170, 255)),
    ],
)
def test_the_transparent_grey_is_transparent_at_every_depth(bits: int, row: bytes, key: int, greys: Sequence[int]) -> None:
    data = png(header(4, 2, bits, pngs.GREY), chunk(b"tRNS", struct.pack(">H", key)), pixels(row, row))

    found = columns(data)
    assert [pixel[3] for pixel in found] == [0 if grey == greys[1] else 255 for grey in greys]
    assert [pixel[0] for pixel in found if pixel[3]] == [grey for grey in greys if grey != greys[1]]


def test_of_two_greys_with_equal_high_bytes_only_the_transparent_one_is() -> None:
    row = struct.pack(">4H", 0x5500, 0x5501, 0x5501, 0x55FF)
    data = png(header(4, 2, 16, pngs.GREY), chunk(b"tRNS", struct.pack(">H", 0x5501)), pixels(row, row))

    assert [pixel[3] for pixel in columns(data)] == [255, 0, 0, 255]


def test_of_two_colours_with_equal_high_bytes_only_the_transparent_one_is() -> None:
    row = struct.pack(">12H", 0x1234, 0x5678, 0x9ABC, 0x1234, 0x5678, 0x9ABD, 0x1200, 0x5600, 0x9A00, 0x1234, 0x5678, 0x9ABC)
    key = struct.pack(">3H", 0x1234, 0x5678, 0x9ABC)

    found = columns(png(header(4, 2, 16, pngs.RGB), chunk(b"tRNS", key), pixels(row, row)))
    assert [pixel[3] for pixel in found] == [0, 255, 255, 0]
    assert found[1][:3] == (0x12, 0x56, 0x9A)


def test_the_transparent_colour_of_eight_bits_is_transparent() -> None:
    found = columns(png(HEADER, chunk(b"tRNS", struct.pack(">3H", *GREEN)), PIXELS))

    assert [pixel[3] for pixel in found] == [255, 0, 255, 255]


# ---- damage beside the pixels


DAMAGES = ["text", "gamma", "profile", "short gamma", "short primaries", "no density", "animation", "frame", "too long"]
DAMAGES += ["beyond the file", "too short", "long text"]


@pytest.mark.parametrize(
    "extra",
    [
        broken(b"tEXt", b"Author\0Ann"),
        broken(b"gAMA", bytes(4)),
        broken(b"iCCP", b"x\0\0" + zlib.compress(profile(swapped=True))),
        chunk(b"gAMA", b"\1"),
        chunk(b"cHRM", b"\1"),
        chunk(b"pHYs", b""),
        chunk(b"acTL", b"\0"),
        chunk(b"fcTL", b"\0"),
        b"\0\0\0\xffgAMA" + bytes(8),
        b"\xff\xff\xff\xfftIME" + bytes(11),
        b"\0\0\0\1tEXtAuthor\0Ann\0\0\0\0",
        chunk(b"tEXt", b"Author\0" + b"a" * (2 << 20)),
    ],
    ids=DAMAGES,
)
@pytest.mark.parametrize("after", [False, True])
def test_damage_beside_the_pixels_does_not_spoil_a_fine_picture(extra: bytes, after: bool) -> None:
    _is_fine(png(HEADER, PIXELS, extra) if after else png(HEADER, extra, PIXELS))


@pytest.mark.parametrize("after", [False, True])
def test_a_text_that_unpacks_to_more_than_it_may_does_not_spoil_a_fine_picture(after: bool) -> None:
    extra = chunk(b"zTXt", b"Author\0\0" + zlib.compress(b"a" * (70 << 20)))

    _is_fine(png(HEADER, PIXELS, extra) if after else png(HEADER, extra, PIXELS))


def _is_fine(data: bytes) -> None:
    assert columns(data) == SEEN
    assert run_processor("image.facts", data).facts["width_px"] == 4


@pytest.mark.parametrize("lost", [4, 8, 12])
def test_a_picture_that_lacks_only_its_end_is_complete(lost: int) -> None:
    assert columns(png(HEADER, PIXELS)[:-lost]) == SEEN


def test_a_picture_that_lacks_only_the_checksum_of_its_pixels_is_complete() -> None:
    assert columns(png(HEADER, PIXELS)[:-16]) == SEEN


def test_bytes_after_the_end_change_nothing() -> None:
    assert columns(png(HEADER, PIXELS) + b"trailer") == SEEN


def test_a_profile_of_more_than_a_mebibyte_is_followed() -> None:
    long = profile(swapped=True) + bytes(3 << 20)
    long = struct.pack(">I", len(long)) + long[4:]
    row = bytes(RED) * 4

    found = columns(png(HEADER, chunk(b"iCCP", b"x\0\0" + zlib.compress(long)), pixels(row, row)))
    assert near(found[0], (*BLUE, 255))


def test_a_profile_beyond_every_use_is_too_much() -> None:
    bomb = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(17 << 20)))

    assert reason(png(HEADER, bomb, PIXELS)) == "too_much_metadata"


# ---- damage in the pixels


@pytest.mark.parametrize(
    "data",
    [
        png(HEADER, PIXELS[:-4] + b"\0\0\0\0"),
        png(HEADER[:-4] + b"\0\0\0\0", PIXELS),
        png(broken(b"PLTE", bytes(3)), HEADER, PIXELS),
        png(PIXELS),
        png(chunk(b"IHDR", b"short"), PIXELS),
        png(HEADER, chunk(b"ABCD", b""), PIXELS),
        png(HEADER, chunk(b"IDAT", b"no zlib")),
        png(header(4, 2, 3, pngs.RGB), PIXELS),
        png(header(4, 2, 8, pngs.PALETTE), pixels(bytes(4), bytes(4))),
    ],
    ids=["pixels", "header", "palette", "no header", "short header", "unknown chunk", "no zlib", "depth", "no palette"],
)
def test_damage_in_what_the_pixels_need_is_corrupt(data: bytes) -> None:
    assert reason(data) == "corrupt"


@pytest.mark.parametrize(
    "data",
    [
        pngs.SIGNATURE + HEADER,
        (pngs.SIGNATURE + HEADER)[:-6],
        png(HEADER),
        png(HEADER, pixels(ROW)),
        (pngs.SIGNATURE + HEADER + PIXELS)[:-14],
    ],
    ids=["no pixels", "half a header", "end without pixels", "a row is missing", "half the pixels"],
)
def test_a_picture_without_its_last_pixels_is_truncated(data: bytes) -> None:
    assert reason(data) == "truncated"


def test_the_variant_of_apple_is_refused_by_name() -> None:
    with pytest.raises(BadFile, match="CgBI") as refused:
        run(png(chunk(b"CgBI", bytes(4)), HEADER, PIXELS))

    assert refused.value.code == "unsupported"


# ---- grey profiles


def grey_profile(gamma: float) -> bytes:
    """An ICC profile of grey with this gamma (ICC.1:2010 §8.5)."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78) + bytes(1)
    tags = {b"desc": name, b"wtpt": white, b"kTRC": curve}
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    start = bytes(4) + bytes((2, 16, 0, 0)) + b"mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    illuminant = struct.pack(">3i", 63190, 65536, 54061)
    rest = (start + illuminant).ljust(124, b"\0") + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(rest) + 4) + rest


@pytest.mark.parametrize("mode", ["L", "LA", "L with a transparent shade"])
def test_a_grey_profile_is_followed_with_transparency_too(mode: str) -> None:
    """Gamma 1 makes linear light 0.5 the sRGB shade 188 (IEC 61966-2-1)."""
    extra = {"transparency": 7} if " " in mode else {}
    data = saved(plain(mode[:2].strip(), (128, 100) if mode == "LA" else 128), "PNG", icc_profile=grey_profile(1.0), **extra)

    found = colour(rendered(data))
    assert near(found[:3], (188, 188, 188))
    assert found[3] == (100 if mode == "LA" else 255)
