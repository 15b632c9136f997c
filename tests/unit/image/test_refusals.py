"""A file that is not a picture, or a corrupt or huge one, is refused with a reason."""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from shared.errors import BadFile
from shared.settings import ROOT
from tests.unit.image.pictures import (
    RED,
    noise,
    plain,
    reason,
    run,
    saved,
)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def psd() -> bytes:
    return b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 8, 8, 8, 3) + bytes(12) + b"\0\0" + bytes(8 * 8 * 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        bytes(1000),
        b"ffconcat version 1.0\nfile 'private.wav'\n",
        b"BMW is no bitmap",
        b"PK\3\4" + bytes(60),
    ],
    ids=["empty", "text", "zeros", "playlist", "text that begins as a bitmap", "zip"],
)
def test_a_file_that_begins_like_no_picture_is_none(data: bytes) -> None:
    assert reason(data) == "not_a_picture"


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (psd(), "a Photoshop document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n", "a PostScript file"),
        (b"%PDF-1.4\n", "a PDF file"),
        (b"P6 8 8 255\n" + bytes(192), "a PBM, PGM or PPM picture"),
        (box(b"ftyp", b"crx \0\0\0\1crx isom"), "a camera raw file"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(100), "a camera raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a camera raw file"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL file"),
        (box(b"JXL ", b"\r\n\x87\n"), "a JPEG XL file"),
    ],
)
def test_a_picture_of_another_kind_is_unsupported_by_name(data: bytes, name: str) -> None:
    with pytest.raises(BadFile, match=name) as refused:
        run(data)

    assert refused.value.code == "unsupported"


WITHOUT_EXTRAS = """
import json, sys, tempfile
from pathlib import Path
sys.modules.update(dict.fromkeys(("pi_heif", "resvg_py")))  # as if they were not installed
from shared import processors
from shared.errors import BadFile
for processor in map(processors.find, ("image.renditions", "image.facts")):
    for path in sys.argv[1:]:
        try:
            processor.run(Path(path), Path(tempfile.gettempdir()), {})
        except BadFile as error:
            print(json.dumps([error.code, error.message]))
"""


def test_without_an_extra_the_refusal_names_it(tmp_path: Path) -> None:
    begin = [box(b"ftyp", b"heic\0\0\0\0mif1heic"), box(b"ftyp", b"mif1\0\0\0\0miaf"), b"<!-- drawn --><svg/>"]
    paths = [tmp_path / str(number) for number in range(3)]
    for path, data in zip(paths, begin, strict=True):
        path.write_bytes(data)

    command = [sys.executable, "-c", WITHOUT_EXTRAS, *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, timeout=30)

    wanted = [
        [
            "unsupported",
            f"{what} cannot be opened; install the extra {name}: make setup EXTRAS={name}, deploy.sh up --extras {name}",
        ]
        for what, name in (("a HEIC file", "heic"), ("a HEIC file", "heic"), ("an SVG drawing", "svg"))
    ]
    assert [json.loads(line) for line in done.stdout.splitlines()] == wanted * 2


@pytest.mark.parametrize("kind", ["EPS", "ICO", "TGA", "PCX", "PPM", "SGI", "JPEG2000", "DDS", "ICNS"])
def test_a_good_picture_in_another_format_is_unsupported(kind: str) -> None:
    assert reason(saved(plain("RGB", RED, (16, 16)), kind)) == "unsupported"


@pytest.mark.parametrize(
    ("marker", "bits", "channels", "name"),
    [
        (0xC3, 8, 3, "a lossless JPEG"),
        (0xC5, 8, 3, "a hierarchical JPEG"),
        (0xC1, 12, 3, "a JPEG with 12 bits per channel"),
        (0xC0, 8, 2, "a JPEG with 2 channels"),
    ],
)
def test_a_rare_kind_of_jpeg_is_unsupported_by_name(marker: int, bits: int, channels: int, name: str) -> None:
    whole = saved(plain("RGB", RED), "JPEG")
    at = whole.index(b"\xff\xc0")
    frame = bytes((0xFF, marker)) + whole[at + 2 : at + 4] + bytes((bits,)) + whole[at + 5 : at + 9] + bytes((channels,))

    with pytest.raises(BadFile, match=name) as refused:
        run(whole[:at] + frame + whole[at + 10 :])

    assert refused.value.code == "unsupported"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "AVIF"])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.9, 0.99])
def test_a_picture_cut_short_is_truncated(kind: str, kept: float) -> None:
    whole = saved(noise(64, 64).convert("RGB"), kind)

    assert reason(whole[: int(len(whole) * kept)]) == "truncated"


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg", "packbits"])
def test_a_compressed_tiff_cut_short_is_truncated(compression: str) -> None:
    whole = saved(noise(64, 64).convert("RGB"), "TIFF", compression=compression)

    assert reason(whole[: len(whole) // 2]) == "truncated"


def test_the_photograph_cut_short_is_truncated(photo: bytes) -> None:
    assert reason(photo[: len(photo) // 2]) == "truncated"


@pytest.mark.parametrize(
    "start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0\x08\0\0\0", b"RIFF\0\0\0\0WEBPVP8 "]
)
def test_the_beginning_of_a_picture_is_truncated(start: bytes) -> None:
    assert reason(start) == "truncated"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_a_picture_with_other_bytes_in_its_middle_is_corrupt(kind: str) -> None:
    whole = saved(noise(64, 64).convert("RGB"), kind)
    middle = len(whole) // 2

    assert reason(whole[: middle - 200] + b"\xff" * 400 + whole[middle + 200 :]) == "corrupt"


@pytest.mark.parametrize("size", [(60_000, 60_000), (65_535, 763), (65_536, 1), (9000, 9000), (2**31 - 1, 1)])
def test_a_huge_picture_is_refused_by_its_header(size: tuple[int, int]) -> None:
    assert reason(png_claiming(*size)) == "too_many_pixels"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = saved(Image.new("L", (9000, 9000)), "PNG")
    assert len(bomb) < 90_000

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
    with pytest.raises(BadFile, match="3,600,000,000 pixels; the limit is 50,000,000"):
        run(png_claiming(60_000, 60_000))
    with pytest.raises(BadFile, match="JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF"):
        run(b"not a picture")
