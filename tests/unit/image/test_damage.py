"""Truncated pictures: complete ones succeed, others fail or are delivered with the fact `incomplete`."""

import io
import random

import pytest
from PIL import Image

from shared.errors import BadFile
from shared.testing import run_processor
from tests.unit.image import pngs
from tests.unit.image.pictures import BLUE, GREEN, RED, WHITE, colour, near, noise, reason, rendered, run, saved


@pytest.fixture(scope="module")
def quarters() -> Image.Image:
    """Red and green above blue and white."""
    picture = Image.new("RGB", (64, 64), RED)
    for paint, box in ((GREEN, (32, 0, 64, 32)), (BLUE, (0, 32, 32, 64)), (WHITE, (32, 32, 64, 64))):
        picture.paste(paint, box)
    return picture


def is_quartered(picture: Image.Image) -> bool:
    places = ((0.2, 0.2, RED), (0.8, 0.2, GREEN), (0.2, 0.8, BLUE), (0.8, 0.8, WHITE))
    return all(near(colour(picture, x, y)[:3], paint) for x, y, paint in places)


JPEGS = pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}], ids=str)


@JPEGS
@pytest.mark.parametrize("lost", [1, 2])
def test_a_jpeg_that_lacks_only_its_end_is_complete(quarters: Image.Image, lost: int, options: dict[str, bool]) -> None:
    assert is_quartered(rendered(saved(quarters, "JPEG", quality=95, **options)[:-lost]))


@JPEGS
@pytest.mark.parametrize("lost", [6, 40, 200])
def test_a_jpeg_without_its_last_pixels_is_truncated(lost: int, options: dict[str, bool]) -> None:
    grain = noise(64, 64).convert("RGB")

    assert reason(saved(grain, "JPEG", **options)[:-lost]) == "truncated"


@JPEGS
@pytest.mark.parametrize("edge", [16, 64, 400])
def test_an_end_marker_does_not_hide_that_pixels_are_missing(edge: int, options: dict[str, bool]) -> None:
    grain = noise(400, 400).convert("RGB")
    whole = saved(grain, "JPEG", **options)
    first_scan = whole[: whole.index(b"\xff\xda", whole.index(b"\xff\xda") + 2)] if "progressive" in options else whole
    cut = first_scan[: len(first_scan) * 3 // 4] + b"\xff\xd9"

    assert reason(cut, sizes=(edge,)) == "truncated"


@JPEGS
def test_a_flat_picture_and_what_follows_its_end_are_no_damage(options: dict[str, bool]) -> None:
    flat = saved(Image.new("RGB", (400, 400), RED), "JPEG", **options)

    for data in (flat, flat + b"\xff\xd9 trailer \xff\xd8" + flat):
        assert near(colour(rendered(data)), (*RED, 255))


def test_a_jpeg_without_its_last_scan_is_truncated() -> None:
    whole = saved(noise(64, 64).convert("RGB"), "JPEG", progressive=True)

    assert reason(whole[: whole.rindex(b"\xff\xda")]) == "truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_a_truncated_picture_is_delivered_on_request_with_the_fact_incomplete(quarters: Image.Image, kind: str) -> None:
    noisy = quarters.copy()
    noisy.paste(noise(64, 32).convert("RGB"), (0, 32))
    whole = saved(noisy.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if kind == "BMP" else noisy, kind)

    outcome = run_processor(
        "image.renditions", whole[: int(len(whole) * 0.75)], sizes=[64], formats=["png"], truncated="deliver"
    )

    assert outcome.facts == {"incomplete": True}
    with Image.open(io.BytesIO(outcome.outputs[0].data)) as picture:
        rows = (0.8, 0.9) if kind == "BMP" else (0.1, 0.2)
        assert all(near(colour(picture, 0.2, y)[:3], RED) and near(colour(picture, 0.8, y)[:3], GREEN) for y in rows)


def test_a_complete_picture_is_not_called_incomplete(quarters: Image.Image) -> None:
    for data in (saved(quarters, "JPEG"), saved(quarters, "JPEG")[:-2]):
        assert run_processor("image.renditions", data, sizes=[64], truncated="deliver").facts == {}


def test_rows_that_are_missing_are_delivered_too() -> None:
    row = bytes(RED) * 4
    half = pngs.png(pngs.header(4, 2, 8, pngs.RGB), pngs.pixels(row))

    assert run_processor("image.renditions", half, truncated="deliver").facts == {"incomplete": True}


def test_a_webp_that_lacks_only_the_metadata_after_its_pixels_is_complete(quarters: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x013B] = "An artist with a long name"

    assert is_quartered(rendered(saved(quarters, "WEBP", exif=exif, lossless=True)[:-10]))


def test_a_corrupt_picture_is_not_delivered() -> None:
    data = pngs.png(pngs.header(4, 2, 8, pngs.RGB), pngs.chunk(b"IDAT", b"no zlib"))

    assert reason(data, truncated="deliver") == "corrupt"


REASONS = {"not_a_picture", "unsupported", "truncated", "corrupt", "too_many_pixels", "too_much_metadata"}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The file cut, or with some bytes changed, lost or put in, mostly near its beginning."""
    at = chance.randrange(min(len(data), chance.choice((64, 300, len(data)))))
    lost = chance.choice((0, 1, 4, len(data)))
    return data[:at] + chance.choice((b"", b"\0\0\0\0", b"\xff\xff\xff\xff", chance.randbytes(3))) + data[at + lost :]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "AVIF"])
@pytest.mark.filterwarnings("ignore")  # Pillow's, about the damage
def test_a_damaged_file_succeeds_or_fails_with_a_reason(kind: str) -> None:
    whole, chance = saved(noise(40, 30).convert("RGB"), kind), random.Random(kind)

    assert {outcome(damaged(whole, chance), chance.choice(("fail", "deliver"))) for _ in range(60)} <= {"succeeded", *REASONS}


def outcome(data: bytes, truncated: str) -> str:
    try:
        run(data, sizes=(16,), max_pixels=1_000_000, truncated=truncated)
    except BadFile as refused:
        return refused.code
    return "succeeded"
