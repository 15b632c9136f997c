"""A file that is not a picture, or a corrupt or huge one, is refused with a reason."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from shared.errors import BadFile
from shared.processors.pictures import MAX_PIXELS
from shared.settings import ROOT
from tests.unit.image.pictures import (
    RED,
    plain,
    reason,
    run,
    saved,
)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def psd() -> bytes:
    return b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 8, 8, 8, 3) + bytes(12) + b"\0\0" + bytes(8 * 8 * 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        bytes(1000),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n",
        psd(),
        b"%PDF-1.4\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"ffconcat version 1.0\nfile 'private.wav'\n",
        b"P6 8 8 255\n" + bytes(192),
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["empty", "text", "zeros", "eps", "psd", "pdf", "svg", "playlist", "ppm", "jpeg's first bytes", "png's first bytes"],
)
def test_a_file_that_is_not_a_picture_is_unidentified(data: bytes) -> None:
    assert reason(data) == "unidentified"


@pytest.mark.parametrize("kind", ["EPS", "ICO", "TGA", "PCX", "PPM", "SGI", "JPEG2000", "DDS", "ICNS"])
def test_a_good_picture_in_another_format_is_unidentified(kind: str) -> None:
    assert reason(saved(plain("RGB", RED, (16, 16)), kind)) == "unidentified"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_picture_cut_short_is_corrupt(kind: str, kept: float) -> None:
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    whole = saved(noise, kind)

    # This TIFF's directory stands at its end: without it the size is unknown.
    assert reason(whole[: int(len(whole) * kept)]) in ("corrupt", "unidentified")


def test_the_photograph_cut_short_is_corrupt(photo: bytes) -> None:
    assert reason(photo[: len(photo) // 2]) == "corrupt"


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_a_broken_picture_of_a_newer_kind_is_the_files_fault(kind: str) -> None:
    whole = saved(Image.effect_noise((64, 64), 80).convert("RGB"), kind)

    assert reason(whole[: len(whole) // 2]) in ("corrupt", "unidentified")


@pytest.mark.parametrize("size", [(60_000, 60_000), (MAX_PIXELS + 1, 1), (9000, 9000), (2**31 - 1, 1)])
def test_a_huge_picture_is_refused_by_its_header(size: tuple[int, int]) -> None:
    assert reason(png_claiming(*size)) == "too_many_pixels"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = saved(Image.new("1", (9000, 9000)), "PNG")
    assert len(bomb) < 20_000

    assert reason(bomb) == "too_many_pixels"


def test_a_bomb_is_refused_in_a_process_that_ignores_warnings_too(tmp_path: Path) -> None:
    source = tmp_path / "bomb.png"
    source.write_bytes(png_claiming(9000, 9000))
    code = (
        "import sys; from pathlib import Path; from shared import processors; from shared.errors import BadFile\n"
        "try: processors.find('image.renditions').run(Path(sys.argv[1]), Path(), {})\n"
        "except BadFile as error: print(error.code)"
    )

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, source], cwd=ROOT, capture_output=True, check=True, text=True, timeout=30
    )

    assert done.stdout == "too_many_pixels\n"


def test_a_refusal_names_the_limit_and_the_supported_formats() -> None:
    with pytest.raises(BadFile, match="more than 50,000,000 pixels"):
        run(png_claiming(60_000, 60_000))
    with pytest.raises(BadFile, match="JPEG, PNG, WEBP, GIF, TIFF, BMP, AVIF"):
        run(b"not a picture")
