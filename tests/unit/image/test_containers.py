"""GIF, BMP, WebP and AVIF: what their containers say about pixels, made byte by byte."""

import struct
from collections.abc import Sequence

import pytest
from PIL import Image

from shared.errors import BadFile
from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, GREEN, RED, WHITE, colour, near, plain, reason, rendered, run, saved

# ---- GIF


def gif(canvas: tuple[int, int], frame: tuple[int, int, int, int], *, local: bool = False) -> bytes:
    """One red frame of up to 4 × 2 pixels on a larger canvas, whose background colour is green (GIF89a §18–22)."""
    table = bytes((*GREEN, *RED))
    descriptor = b"," + struct.pack("<4H", *frame) + (b"\x80" + table if local else b"\0")
    # LZW of two bits: clear, then each pixel as a code of 3 bits, with a clear code after every second one
    codes = [4, *(code for _ in range(frame[2] * frame[3] // 2) for code in (1, 1, 4)), 5]
    bits = sum(code << (3 * place) for place, code in enumerate(codes))
    data = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    screen = struct.pack("<2H", *canvas) + (b"\0\0\0" if local else b"\x80\0\0" + table)
    return b"GIF89a" + screen + descriptor + b"\x02" + bytes((len(data),)) + data + b"\0;"


@pytest.mark.parametrize("local", [False, True], ids=["global colours", "local colours"])
def test_canvas_that_the_first_frame_leaves_uncovered_is_transparent(local: bool) -> None:
    picture = rendered(gif((8, 4), (4, 2, 4, 2), local=local))

    assert picture.size == (8, 4)
    assert colour(picture, 0.75, 0.75) == (*RED, 255)
    assert [colour(picture, x, y)[3] for x, y in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9))] == [0, 0, 0]


def test_a_covered_canvas_stays_opaque() -> None:
    picture = rendered(gif((4, 2), (0, 0, 4, 2)))

    assert (picture.mode, colour(picture)) == ("RGB", (*RED, 255))


# ---- BMP


def bmp(depth: int, masks: Sequence[int], pixel: int, *, header_bytes: int = 108, compression: int = 3) -> bytes:
    """A row of four equal pixels, with channels under these masks (Windows: BITMAPV4HEADER)."""
    info = struct.pack("<IiiHHIIiiII", header_bytes, 4, 1, 1, depth, compression, 0, 0, 0, 0, 0)
    fields = struct.pack(f"<{len(masks)}I", *masks) if compression in (3, 6) else b""
    inside = (info + fields).ljust(max(header_bytes, len(info + fields)), b"\0")
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(inside)) + inside + pixel.to_bytes(depth // 8, "little") * 4


@pytest.mark.parametrize(
    ("depth", "masks", "pixel", "seen"),
    [
        (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 0x80FF8000, (255, 128, 0, 128)),
        (32, (0xFF, 0xFF00, 0xFF0000, 0), 0x0000FF80, (128, 255, 0, 255)),
        (32, (0xFF00, 0xFF0000, 0xFF000000, 0xFF), 0x4080FF80, (255, 128, 64, 128)),
        (32, (0xFF00, 0xFF, 0xFF0000, 0), 0x00FF8040, (128, 64, 255, 255)),
        (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 0x00FF8000, (255, 128, 0, 255)),
        (16, (0xF800, 0x7E0, 0x1F, 0), 0xFC00, (255, 130, 0, 255)),
        (16, (0x7C00, 0x3E0, 0x1F, 0x8000), 0xFE00, (255, 132, 0, 255)),
        (16, (0xF00, 0xF0, 0xF, 0xF000), 0x8F84, (255, 136, 68, 136)),
        (16, (0xF, 0xF0, 0xF00, 0), 0x048F, (255, 136, 68, 255)),
    ],
)
def test_channels_lie_where_the_masks_say(depth: int, masks: Sequence[int], pixel: int, seen: tuple[int, ...]) -> None:
    assert colour(rendered(bmp(depth, masks, pixel))) == seen


@pytest.mark.parametrize("compression", [3, 6])
def test_masks_may_follow_the_smallest_header(compression: int) -> None:
    masks = (0xFF00, 0xFF, 0xFF0000, 0xFF000000)[: 3 if compression == 3 else 4]

    found = colour(rendered(bmp(32, masks, 0x80FF8040, header_bytes=40, compression=compression)))
    assert found == (128, 64, 255, 255 if compression == 3 else 128)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (bmp(32, (0x3FF00000, 0xFFC00, 0x3FF, 0), 0), "a channel of 10 bits"),
        (bmp(32, (0xF0F, 0xFF0000, 0xFF000000, 0), 0), "channels have gaps"),
        (bmp(24, (), 0, compression=4), "compressed by method 4"),
        (bmp(64, (), 0, compression=0), "64 bits per pixel"),
    ],
)
def test_another_layout_is_refused_by_name(data: bytes, name: str) -> None:
    with pytest.raises(BadFile, match=name) as refused:
        run(data)

    assert refused.value.code == "unsupported"


# ---- AVIF


def with_aperture(avif: bytes, aperture: tuple[int, ...]) -> bytes:
    """The file with a clean aperture added to its primary picture (ISO 14496-12 §12.1.4)."""
    clap = struct.pack(">I4sIIIIiIiI", 40, b"clap", *aperture)
    at = avif.index(b"ipco") - 4
    end = at + int.from_bytes(avif[at : at + 4], "big")
    boxes, place = 0, at + 8
    while place < end:
        boxes, place = boxes + 1, place + int.from_bytes(avif[place : place + 4], "big")
    ipma = avif.index(b"ipma") - 4
    count_at = ipma + 8 + 4 + 4 + 2  # after the header, version and flags, the number of pictures, and the picture's number
    grown = bytearray(avif)
    grown[count_at] += 1
    grown.insert(count_at + 1 + avif[count_at], 0x80 | (boxes + 1))
    grown[end:end] = clap
    more = len(grown) - len(avif)
    for kind, by in ((b"ipco", len(clap)), (b"ipma", 1), (b"iprp", more), (b"meta", more)):
        start = grown.index(kind) - 4
        grown[start : start + 4] = struct.pack(">I", int.from_bytes(grown[start : start + 4], "big") + by)
    return _moved(bytes(grown), more)


def _moved(avif: bytes, more: int) -> bytes:
    """The places of pixels, which follow the boxes that grew (ISO 14496-12 §8.11.3), moved."""
    start = avif.index(b"mdat") + 4 - more
    old, new = struct.pack(">I", start), struct.pack(">I", start + more)
    assert avif.count(old) == 1
    return avif.replace(old, new)


@pytest.fixture
def quarters() -> bytes:
    """An AVIF of 64 × 64 pixels: red and green above blue and white."""
    picture = Image.new("RGB", (64, 64), RED)
    for paint, box in ((GREEN, (32, 0, 64, 32)), (BLUE, (0, 32, 32, 64)), (WHITE, (32, 32, 64, 64))):
        picture.paste(paint, box)
    return saved(picture, "AVIF", quality=95)


@pytest.mark.parametrize(("right", "down", "seen"), [(-16, -16, RED), (16, -16, GREEN), (-16, 16, BLUE), (16, 16, WHITE)])
def test_the_clean_aperture_of_an_avif_is_cut_out(quarters: bytes, right: int, down: int, seen: tuple[int, ...]) -> None:
    data = with_aperture(quarters, (24, 1, 20, 1, right, 1, down, 1))
    picture = rendered(data)

    assert picture.size == (24, 20)
    assert all(near(colour(picture, x, y)[:3], seen) for x in (0.1, 0.9) for y in (0.1, 0.9))
    assert (run_processor("image.facts", data).facts["width_px"], run_processor("image.facts", data).facts["height_px"]) == (
        24,
        20,
    )


@pytest.mark.parametrize("aperture", [(24, 0, 20, 1, 0, 1, 0, 1), (240, 1, 20, 1, 0, 1, 0, 1), (24, 1, 20, 1, 60, 1, 0, 1)])
def test_an_impossible_aperture_is_ignored(quarters: bytes, aperture: tuple[int, ...]) -> None:
    assert rendered(with_aperture(quarters, aperture)).size == (64, 64)


# ---- WebP


def webp(canvas: int, *, animated: bool) -> bytes:
    """A header with a large canvas and one small frame (RFC 9649 §2.7)."""
    edge = (canvas - 1).to_bytes(3, "little")
    still = saved(plain("RGBA", RED, (2, 2)), "WEBP", lossless=True)
    pixels = still[still.index(b"VP8L") :]
    frame = bytes(6) + b"\1\0\0\1\0\0\x64\0\0\0" + pixels
    chunks = b"VP8X" + struct.pack("<IB3x", 10, 2 if animated else 0) + edge + edge
    chunks += b"ANIM" + struct.pack("<IIH", 6, 0, 0) + b"ANMF" + struct.pack("<I", len(frame)) + frame if animated else pixels
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def test_the_canvas_of_an_animation_counts_twice() -> None:
    """WebP decodes an animation onto two canvases: 7000 × 7000 would take 764 MB."""
    assert reason(webp(7000, animated=True)) == "too_many_pixels"
    assert near(colour(rendered(webp(2, animated=True))), RED)


@pytest.mark.parametrize("lossless", [False, True])
def test_a_huge_webp_is_refused_by_its_header(lossless: bool) -> None:
    huge = saved(plain("RGB", RED, (16_000, 8)), "WEBP", lossless=lossless)

    assert reason(huge, max_pixels=100_000) == "too_many_pixels"
    assert reason(webp(16_000, animated=False)) == "too_many_pixels"
