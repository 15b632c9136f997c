"""TIFFs made byte by byte, whose right pixels follow from the specification, not from Pillow."""

import struct
import zlib
from collections.abc import Sequence

import pytest

from tests.unit.image import tiffs
from tests.unit.image.pictures import colour, near, rendered
from tests.unit.image.tiffs import Page, Tags, one, tiff

#: Shades of a picture of four columns, from black to white, as they are seen.
SHADES = (0, 85, 170, 255)
DEFLATE = 8
BOTH_ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def shades(data: bytes) -> list[int]:
    """The greys of four columns, each one pixel wide."""
    picture = rendered(data).convert("L")
    return [int(picture.getpixel((x, 1))) for x in range(4)]  # type: ignore[arg-type]


def close(found: Sequence[int]) -> bool:
    return len(found) == 4 and all(abs(one - other) <= 1 for one, other in zip(found, SHADES, strict=True))


def grey(values: bytes, bits: int, photometric: int = tiffs.BLACK_IS_ZERO, order: str = "<", tags: Tags | None = None) -> bytes:
    """The columns in two rows; compressed values have both already."""
    return tiff(one(4, 2, values * (1 if tags and tiffs.COMPRESSION in tags else 2), bits, photometric, tags), order=order)


def test_grey_of_twelve_bits_keeps_its_shades() -> None:
    # Two pixels in three bytes: 0x000 0x555 0xAAA 0xFFF
    assert close(shades(grey(bytes.fromhex("000555AAAFFF"), 12)))


@BOTH_ORDERS
def test_grey_of_sixteen_bits_keeps_its_shades(order: str) -> None:
    values = struct.pack(f"{order}4H", 0, 0x5555, 0xAAAA, 0xFFFF)

    assert close(shades(grey(values, 16, order=order)))


@pytest.mark.parametrize(
    ("bits", "photometric", "values"),
    [
        (12, tiffs.BLACK_IS_ZERO, bytes.fromhex("000555AAAFFF")),
        (16, tiffs.BLACK_IS_ZERO, struct.pack("<4H", 0, 0x5555, 0xAAAA, 0xFFFF)),
        (16, tiffs.WHITE_IS_ZERO, struct.pack("<4H", 0xFFFF, 0xAAAA, 0x5555, 0)),
    ],
)
def test_compressed_grey_keeps_its_shades(bits: int, photometric: int, values: bytes) -> None:
    assert close(shades(grey(zlib.compress(values * 2), bits, photometric, tags={tiffs.COMPRESSION: DEFLATE})))


def test_grey_of_sixteen_bits_whose_white_is_zero_is_no_negative() -> None:
    values = struct.pack("<4H", 0xFFFF, 0xAAAA, 0x5555, 0)

    assert close(shades(grey(values, 16, tiffs.WHITE_IS_ZERO)))


@BOTH_ORDERS
@pytest.mark.parametrize("white", [1.0, 255.0, 5000.0])
def test_grey_in_floating_point_whose_white_is_zero_is_no_negative(white: float, order: str) -> None:
    values = struct.pack(f"{order}4f", white, white * 2 / 3, white / 3, 0)

    assert close(shades(grey(values, 32, tiffs.WHITE_IS_ZERO, order, {tiffs.FORMAT: tiffs.FLOAT})))


@BOTH_ORDERS
@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("place", [0, 4, 7])
def test_one_odd_number_does_not_blacken_a_picture_in_floating_point(odd: float, place: int, order: str) -> None:
    values = [0, 1000, 2000, 3000] * 4
    values[place] = odd  # type: ignore[call-overload]
    data = tiff(
        one(4, 4, struct.pack(f"{order}16f", *values), 32, tiffs.BLACK_IS_ZERO, {tiffs.FORMAT: tiffs.FLOAT}), order=order
    )

    picture = rendered(data).convert("L")
    assert close([int(picture.getpixel((x, 3))) for x in range(4)])  # type: ignore[arg-type]


# ---- planes and palettes

#: red, green, blue, white, in four columns and two rows
RGBW = [(65535, 0, 0), (0, 65535, 0), (0, 0, 65535), (65535, 65535, 65535)] * 2
SEEN = [(255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (255, 255, 255, 255)]


def columns(data: bytes) -> list[tuple[int, ...]]:
    picture = rendered(data)
    return [colour(picture, (x + 0.5) / 4) for x in range(4)]


@BOTH_ORDERS
def test_planes_of_sixteen_bits_are_no_noise(order: str) -> None:
    planes = [struct.pack(f"{order}8H", *(pixel[plane] for pixel in RGBW)) for plane in range(3)]
    page = one(4, 2, b"", (16, 16, 16), tiffs.RGB, {tiffs.PLANAR: 2})

    assert columns(tiff(Page(page.tags, planes), order=order)) == SEEN


@BOTH_ORDERS
def test_compressed_planes_of_sixteen_bits_are_no_noise(order: str) -> None:
    planes = [zlib.compress(struct.pack(f"{order}8H", *(pixel[plane] for pixel in RGBW))) for plane in range(3)]
    page = one(4, 2, b"", (16, 16, 16), tiffs.RGB, {tiffs.PLANAR: 2, tiffs.COMPRESSION: DEFLATE})

    assert columns(tiff(Page(page.tags, planes), order=order)) == SEEN


@BOTH_ORDERS
def test_planes_of_sixteen_bits_in_several_strips_are_no_noise(order: str) -> None:
    rows = [struct.pack(f"{order}4H", *(pixel[plane] for pixel in RGBW[:4])) for plane in range(3) for _row in range(2)]
    page = one(4, 2, b"", (16, 16, 16), tiffs.RGB, {tiffs.PLANAR: 2, tiffs.ROWS: 1})

    assert columns(tiff(Page(page.tags, rows), order=order)) == SEEN


@pytest.mark.parametrize("scale", [1, 257], ids=["8 bits", "16 bits"])
def test_a_palette_of_eight_or_sixteen_bits_has_its_colours(scale: int) -> None:
    reds, greens, blues = ([pixel[channel] // 257 * scale for pixel in RGBW[:4]] + [0] * 252 for channel in range(3))
    page = one(4, 2, bytes((0, 1, 2, 3)) * 2, 8, tiffs.PALETTE, {tiffs.COLOUR_MAP: reds + greens + blues})

    assert columns(tiff(page)) == SEEN


# ---- alpha


def test_premultiplied_grey_is_opened() -> None:
    # 100 of 200: half of the grey 128 is what is stored for a pixel that is half transparent.
    data = tiff(one(4, 2, bytes((64, 128)) * 8, (8, 8), tiffs.BLACK_IS_ZERO, {tiffs.EXTRA: 1}))

    assert near(colour(rendered(data)), (128, 128, 128, 128))


@pytest.mark.parametrize(
    ("lab", "seen"), [((138, 81, 70), (255, 0, 0)), ((255, 0, 0), (255, 255, 255)), ((137, 0, 0), (128, 128, 128))]
)
def test_lab_colours_of_eight_bits_are_seen(lab: Sequence[int], seen: tuple[int, ...]) -> None:
    """Red, white and grey of sRGB in CIELAB for D50, the white of profiles (TIFF 6.0 §23)."""
    data = tiff(one(4, 2, bytes(lab) * 8, (8, 8, 8), tiffs.LAB))

    assert near(colour(rendered(data)), (*seen, 255))
