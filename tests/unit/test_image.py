"""Renditions: upright, in sRGB, clean of everything but the picture; and what is none is the file's fault, by name."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from shared import processors
from shared.errors import BadFile
from shared.processors import Draft, pictures
from shared.processors.image import MAX_EDGE_PX, OUTPUT_FORMATS
from shared.processors.pictures import MAX_PIXELS
from shared.settings import ROOT
from tests.conftest import DATA

Run = Callable[..., list[Draft]]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FORMATS = ("webp", "avif", "png", "jpeg")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The renditions of a file with these bytes."""

    def renditions(data: bytes, sizes: tuple[int, ...] = (64,), formats: tuple[str, ...] = ("png",)) -> list[Draft]:
        source, folder = tmp_path / "source", tmp_path / "work"
        source.write_bytes(data)
        folder.mkdir(exist_ok=True)
        return processors.find("image.renditions").run(source, folder, {"sizes": sizes, "formats": formats})

    return renditions


@pytest.fixture
def rendered(run: Run) -> Callable[..., Image.Image]:
    """The one rendition of a file with these bytes, as a picture."""

    def picture(data: bytes, size: int = 64, kind: str = "png") -> Image.Image:
        (draft,) = run(data, (size,), (kind,))
        with Image.open(draft.path) as opened:
            opened.load()
            return opened

    return picture


@pytest.fixture
def reason(run: Run) -> Callable[[bytes], str]:
    """Why a file with these bytes is refused."""

    def code(data: bytes) -> str:
        with pytest.raises(BadFile) as refused:
            run(data)
        return refused.value.code

    return code


Rendered = Callable[..., Image.Image]


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(mode: str, colour: Any, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new(mode, size, colour)


def colour(picture: Image.Image, x: float = 0.5, y: float = 0.5) -> tuple[int, ...]:
    value = picture.convert("RGBA").getpixel((int(picture.width * x), int(picture.height * y)))
    assert isinstance(value, tuple)
    return tuple(int(channel) for channel in value)


def near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) <= 12 for one, other in zip(found, wanted, strict=False))


# ---- sizes and formats


def test_every_size_is_written_in_every_format(run: Run) -> None:
    drafts = run(saved(plain("RGB", RED, (300, 200)), "PNG"), (32, 100), FORMATS)

    assert {draft.name for draft in drafts} == {f"{size}.{kind}" for size in (32, 100) for kind in FORMATS}
    for draft in drafts:
        size, kind = draft.name.split(".")
        with Image.open(draft.path) as picture:
            assert picture.get_format_mimetype() == draft.content_type == f"image/{kind}"
            assert picture.size == (int(size), round(int(size) * 2 / 3))
            assert draft.facts == {"width_px": picture.width, "height_px": picture.height}


def test_a_picture_is_never_enlarged(run: Run) -> None:
    drafts = run(saved(plain("RGB", RED, (30, 20)), "PNG"), (1000, 25, 10))

    assert [(draft.name, *draft.facts.values()) for draft in drafts] == [
        ("1000.png", 30, 20),
        ("25.png", 25, 17),
        ("10.png", 10, 7),
    ]


@pytest.mark.parametrize("size", [(2000, 1), (1, 2000), (1, 1)])
def test_the_thinnest_picture_keeps_a_pixel(rendered: Rendered, size: tuple[int, int]) -> None:
    picture = rendered(saved(plain("RGB", RED, size), "PNG"))

    assert min(picture.size) == 1
    assert max(picture.size) <= 64


def test_a_size_or_format_named_twice_is_written_once(run: Run) -> None:
    assert len(run(saved(plain("RGB", RED), "PNG"), (8, 8), ("png", "png"))) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_the_largest_edge_that_can_be_asked_for_can_be_written(rendered: Rendered, kind: str) -> None:
    wide = saved(plain("RGB", RED, (MAX_EDGE_PX + 9, 16)), "PNG")

    assert rendered(wide, MAX_EDGE_PX, kind).width == MAX_EDGE_PX


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_every_format_of_the_closed_list_is_opened(rendered: Rendered, kind: str) -> None:
    assert near(colour(rendered(saved(plain("RGB", RED), kind))), (*RED, 255))


def test_the_pictures_of_a_stereo_camera_are_opened(rendered: Rendered) -> None:
    pair = saved(plain("RGB", RED), "MPO", save_all=True, append_images=[plain("RGB", BLUE)])

    assert near(colour(rendered(pair)), RED)


# ---- upright


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    return [colour(picture, x, y)[:3] for x, y in ((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8))]


@pytest.fixture(scope="module")
def flag() -> Image.Image:
    """Upright: red and green above blue and white, wider than high."""
    flag = Image.new("RGB", (48, 32))
    for place, paint in enumerate((RED, GREEN, BLUE, WHITE)):
        left, top = place % 2 * 24, place // 2 * 16
        flag.paste(paint, (left, top, left + 24, top + 16))
    return flag


#: EXIF orientation → how a camera that writes it has stored the upright picture
STORED: Mapping[int, Image.Transpose | None] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_comes_out_upright(rendered: Rendered, flag: Image.Image, orientation: int, kind: str) -> None:
    turn = STORED[orientation]
    stored = flag if turn is None else flag.transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    picture = rendered(saved(stored, kind, exif=exif, **({"quality": 95} if kind != "PNG" else {})))

    assert picture.size == (48, 32)
    assert all(near(found, wanted) for found, wanted in zip(corners(picture), (RED, GREEN, BLUE, WHITE), strict=True))


@pytest.mark.parametrize("orientation", [0, 9, 6000])
def test_an_orientation_nobody_defined_changes_nothing(rendered: Rendered, flag: Image.Image, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    assert rendered(saved(flag, "PNG", exif=exif)).tobytes() == flag.tobytes()


def test_broken_exif_data_do_not_spoil_a_fine_picture(rendered: Rendered, flag: Image.Image) -> None:
    assert rendered(saved(flag, "PNG", exif=b"garbage! garbage!")).tobytes() == flag.tobytes()


def test_exif_data_that_cannot_be_written_again_do_not_spoil_a_fine_picture(rendered: Rendered, flag: Image.Image) -> None:
    orientation = struct.pack("<HHII", ExifTags.Base.Orientation, 3, 1, 6)
    width_as_text = struct.pack("<HHI4s", ExifTags.Base.ImageWidth, 2, 4, b"abc\0")
    exif = b"II*\0" + struct.pack("<IH", 8, 2) + width_as_text + orientation + struct.pack("<I", 0)

    picture = rendered(saved(flag.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif))

    assert picture.tobytes() == flag.tobytes()


# ---- colours


def profile(*, swapped: bool = False) -> bytes:
    """sRGB; swapped, it calls red what sRGB calls blue, which no eye and no test can miss."""
    srgb: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ") if swapped else srgb


def palette(*colours: tuple[int, int, int]) -> Image.Image:
    picture = Image.new("P", (8, 8))
    picture.putpalette([channel for paint in colours for channel in paint])
    picture.paste(1, (4, 0, 8, 8))
    return picture


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_an_embedded_profile_is_turned_into_srgb(rendered: Rendered, mode: str, kind: str) -> None:
    lossless = {"lossless": True} if kind == "WEBP" else {}

    picture = rendered(saved(plain(mode, RED), kind, icc_profile=profile(swapped=True), **lossless))

    assert near(colour(picture), (*BLUE, 255))
    assert "icc_profile" not in picture.info


def test_an_embedded_srgb_profile_changes_nothing(rendered: Rendered) -> None:
    assert near(colour(rendered(saved(plain("RGB", (10, 120, 230)), "PNG", icc_profile=profile()))), (10, 120, 230))


def test_a_palette_is_turned_into_srgb_too(rendered: Rendered) -> None:
    picture = rendered(saved(palette(RED, GREEN), "PNG", icc_profile=profile(swapped=True), transparency=b"\xff\x00"))

    assert near(colour(picture, 0.1), (*BLUE, 255))
    assert colour(picture, 0.9)[3] == 0


def test_what_is_transparent_by_its_colour_stays_so_when_colours_change(rendered: Rendered) -> None:
    picture = rendered(saved(plain("RGB", RED), "PNG", icc_profile=profile(swapped=True), transparency=RED))

    assert colour(picture)[3] == 0


@pytest.mark.parametrize(
    "data", [b"garbage", profile()[:200], b"\0" * 128, profile()[:-1] + b"!"], ids=["text", "cut", "empty", "last"]
)
def test_a_profile_that_cannot_be_read_is_as_good_as_none(rendered: Rendered, data: bytes) -> None:
    assert near(colour(rendered(saved(plain("RGB", RED), "PNG", icc_profile=data))), RED)


@pytest.mark.parametrize(("mode", "stored"), [("L", 76), ("CMYK", (0, 255, 255, 0))])
def test_a_profile_for_other_channels_is_as_good_as_none(rendered: Rendered, mode: str, stored: Any) -> None:
    with_profile = rendered(saved(plain(mode, stored), "TIFF", icc_profile=profile(swapped=True)))

    assert near(colour(with_profile), colour(rendered(saved(plain(mode, stored), "TIFF"))))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("ink", "seen"), [((0, 255, 255, 0), RED), ((255, 255, 0, 0), BLUE), ((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0, 0, 0))]
)
def test_printers_ink_is_seen_as_it_would_be_printed(
    rendered: Rendered, ink: tuple[int, ...], seen: tuple[int, ...], kind: str
) -> None:
    assert near(colour(rendered(saved(plain("CMYK", ink), kind), kind="jpeg")), seen)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("deep", "seen"), [(0, 0), (0x4000, 64), (0x8000, 128), (0xFFFF, 255)])
def test_sixteen_bits_of_grey_become_eight(rendered: Rendered, deep: int, seen: int, kind: str) -> None:
    assert near(colour(rendered(saved(plain("I;16", deep), kind))), (seen, seen, seen))


@pytest.mark.parametrize(("white", "seen"), [(1.0, 128), (255.0, 128), (4000.0, 128), (0.0, 0)])
def test_grey_in_floating_point_keeps_its_shades(rendered: Rendered, white: float, seen: int) -> None:
    picture = plain("F", white / 2)
    picture.putpixel((0, 0), white)

    pixel = rendered(saved(picture, "TIFF")).convert("L").getpixel((4, 4))
    assert pixel == pytest.approx(seen, abs=4)


@pytest.mark.parametrize(("mode", "value", "seen"), [("1", 1, 255), ("1", 0, 0), ("L", 77, 77), ("LA", (77, 255), 77)])
def test_grey_stays_grey(rendered: Rendered, mode: str, value: Any, seen: int) -> None:
    assert near(colour(rendered(saved(plain(mode, value), "PNG"))), (seen, seen, seen, 255))


# ---- transparency


@pytest.fixture(params=["RGBA", "LA", "palette", "palette by index", "RGB by colour", "grey by value", "GIF", "WEBP"])
def see_through(request: pytest.FixtureRequest) -> bytes:
    """Nothing is to be seen of it."""
    return {
        "RGBA": lambda: saved(plain("RGBA", (0, 0, 0, 0)), "PNG"),
        "LA": lambda: saved(plain("LA", (0, 0)), "PNG"),
        "palette": lambda: saved(palette(RED, GREEN), "PNG", transparency=b"\0\0"),
        "palette by index": lambda: saved(plain("P", 0), "PNG", transparency=0),
        "RGB by colour": lambda: saved(plain("RGB", RED), "PNG", transparency=RED),
        "grey by value": lambda: saved(plain("L", 7), "PNG", transparency=7),
        "GIF": lambda: saved(plain("P", 0), "GIF", transparency=0),
        "WEBP": lambda: saved(plain("RGBA", (0, 0, 0, 0)), "WEBP"),
    }[request.param]()


@pytest.mark.parametrize("kind", ["webp", "png", "avif"])
def test_transparency_is_kept_where_the_format_can(rendered: Rendered, see_through: bytes, kind: str) -> None:
    assert colour(rendered(see_through, kind=kind))[3] == 0


def test_transparency_becomes_white_where_the_format_cannot(rendered: Rendered, see_through: bytes) -> None:
    assert near(colour(rendered(see_through, kind="jpeg")), WHITE)


def test_what_is_half_transparent_is_half_white_in_a_jpeg(rendered: Rendered) -> None:
    assert near(colour(rendered(saved(plain("RGBA", (255, 0, 0, 128)), "PNG"), kind="jpeg")), (255, 127, 127))


def test_a_picture_without_transparency_gets_none(rendered: Rendered) -> None:
    assert rendered(saved(palette(RED, GREEN), "PNG")).mode == "RGB"


# ---- animations


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_frames_the_first_is_taken(run: Run, kind: str) -> None:
    frames = saved(plain("RGB", RED), kind, save_all=True, append_images=[plain("RGB", GREEN), plain("RGB", BLUE)])

    (draft,) = run(frames, (8,), ("webp",))

    with Image.open(draft.path) as picture:
        assert near(colour(picture), RED)
        assert getattr(picture, "n_frames", 1) == 1


# ---- metadata


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_of_a_photograph_survives_but_the_photograph(rendered: Rendered, photo: bytes, kind: str) -> None:
    with Image.open(DATA / "photo.jpg") as original:
        assert original.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert original.getexif()[ExifTags.Base.Make] == "Sluice test camera"

    picture = rendered(photo, 256, kind)

    assert dict(picture.getexif()) == {}
    assert picture.getexif().get_ifd(ExifTags.IFD.GPSInfo) == {}
    assert not set(picture.info) & {"exif", "xmp", "XML:com.adobe.xmp", "icc_profile", "comment", "photoshop", "dpi"}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_no_secret_word_survives_in_the_bytes(run: Run, source: str, kind: str) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRET-WORD")
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "SECRET-WORD"
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": b"SECRET-WORD", "exif": exif, "xmp": b"<x>SECRET-WORD</x>"},
        "PNG": {"pnginfo": text, "exif": exif},
        "WEBP": {"exif": exif, "xmp": b"<x>SECRET-WORD</x>"},
        "TIFF": {"description": "SECRET-WORD"},
        "GIF": {"comment": b"SECRET-WORD"},
    }
    original = saved(plain("RGB", RED), source, **options[source])
    assert b"SECRET-WORD" in original

    (draft,) = run(original, (64,), (kind,))

    assert b"SECRET-WORD" not in draft.path.read_bytes()


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_lower_quality_makes_a_smaller_file(tmp_path: Path, kind: str) -> None:
    def size(quality: int) -> int:
        options = {"sizes": (256,), "formats": (kind,), "quality": quality}
        (draft,) = processors.find("image.renditions").run(DATA / "photo.jpg", tmp_path, options)
        return draft.path.stat().st_size

    assert size(20) < size(90) / 2


def test_the_photograph_comes_out_upright_and_in_proportion(rendered: Rendered, photo: bytes) -> None:
    picture = rendered(photo, 256)

    assert picture.width == 256
    assert picture.height == pytest.approx(256 * 1100 / 1411, abs=1)  # decoding at half size rounds once more


# ---- what is no picture


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
def test_what_is_no_picture_we_open_is_unidentified(reason: Callable[[bytes], str], data: bytes) -> None:
    assert reason(data) == "unidentified"


@pytest.mark.parametrize("kind", ["EPS", "ICO", "TGA", "PCX", "PPM", "SGI", "JPEG2000", "DDS", "ICNS"])
def test_a_good_picture_in_another_format_is_unidentified(reason: Callable[[bytes], str], kind: str) -> None:
    assert reason(saved(plain("RGB", RED, (16, 16)), kind)) == "unidentified"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_picture_cut_short_is_corrupt(reason: Callable[[bytes], str], kind: str, kept: float) -> None:
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    whole = saved(noise, kind)

    # A TIFF's directory stands at its end here: without it, there is not even a size to be known.
    assert reason(whole[: int(len(whole) * kept)]) in ("corrupt", "unidentified")


def test_the_photograph_cut_short_is_corrupt(reason: Callable[[bytes], str], photo: bytes) -> None:
    assert reason(photo[: len(photo) // 2]) == "corrupt"


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_a_broken_picture_of_a_newer_kind_is_the_files_fault(reason: Callable[[bytes], str], kind: str) -> None:
    whole = saved(Image.effect_noise((64, 64), 80).convert("RGB"), kind)

    assert reason(whole[: len(whole) // 2]) in ("corrupt", "unidentified")


@pytest.mark.parametrize("size", [(60_000, 60_000), (MAX_PIXELS + 1, 1), (9000, 9000), (2**31 - 1, 1)])
def test_a_small_file_that_claims_to_be_huge_is_refused_by_its_header(
    reason: Callable[[bytes], str], size: tuple[int, int]
) -> None:
    assert reason(png_claiming(*size)) == "too_many_pixels"


def test_a_bomb_is_refused_before_it_is_unpacked(reason: Callable[[bytes], str]) -> None:
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


def test_a_refusal_tells_its_limit_and_what_would_be_opened(run: Run) -> None:
    with pytest.raises(BadFile, match="more than 50,000,000 pixels"):
        run(png_claiming(60_000, 60_000))
    with pytest.raises(BadFile, match="JPEG, PNG, WEBP, GIF, TIFF, BMP, AVIF"):
        run(b"not a picture")


def test_every_format_that_may_be_asked_for_can_be_made() -> None:
    assert tuple(pictures.OUTPUT_FORMATS) == OUTPUT_FORMATS
