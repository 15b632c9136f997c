"""The hostile files, the good ones among them, and the table of how each ends; made here, always the same."""

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.processors import extras
from shared.settings import ROOT
from tests.e2e.hostile import bombs, pictures

SUCCEEDED, EMPTY = "succeeded", "skipped empty"
CORRUPT, TRUNCATED, TOO_LARGE = "failed corrupt", "failed truncated", "failed too_large"
NOT_A_PICTURE, UNSUPPORTED = "failed not_a_picture", "failed unsupported"
MEMORY, TIME, OUTPUT, PIXELS = (
    f"failed {reason}" for reason in ("limit_memory", "limit_time", "limit_output", "too_many_pixels")
)
CRASHED = "failed decoder_crashed"
GOOD = 20
#: The pipeline's limits: settings of the test's stack.
MAX_FILE_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Sent:
    """A file, and the ways in which it may end: its verdict and the reason."""

    name: str
    data: bytes
    ends: tuple[str, ...]


def every() -> list[Sent]:
    """All files, by folder: those of one kind."""
    return [*hijacked(), *endless(), *bombed(), *good(), *damaged(), *encoded(), *disguised(), *optional()]


def good() -> Iterator[Sent]:
    """Pictures of all formats; each third one is upside down by its EXIF data, in formats that have them."""
    for seed in range(GOOD):
        extension = pictures.FORMATS[seed % len(pictures.FORMATS)]
        data = pictures.turned(seed, extension) if is_turned(seed) else pictures.quadrants(seed, extension)
        yield Sent(f"good/{seed:02}.{extension}", data, (SUCCEEDED,))


def is_turned(seed: int) -> bool:
    return seed % 3 == 0 and pictures.FORMATS[seed % len(pictures.FORMATS)] in ("jpg", "png", "webp", "tiff")


#: What a hijacked decoder does → how the file ends. The words are those of the hostile processor.
HIJACKED = {
    "allocate": MEMORY,
    "grow one": OUTPUT,
    "grow many": OUTPUT,
    "grow files": OUTPUT,
    "grow nameless": OUTPUT,
    "link /etc/passwd": OUTPUT,
    "link copy.txt": OUTPUT,
    "folder": OUTPUT,
    "signal SIGSEGV": CRASHED,
    "signal SIGABRT": CRASHED,
    "exit 0": CRASHED,
    "exit 3": CRASHED,
    'forge {"drafts": [], "facts": "none"}': CRASHED,
    'forge {"drafts": [{"name": "a", "content_type": "text/plain", "file": "../../0-source", "facts": {}}], "facts": {}}': CRASHED,
    "forge " + "[" * 100_000: CRASHED,
    "connect": SUCCEEDED,
    "write hello": SUCCEEDED,
}


def hijacked() -> Iterator[Sent]:
    """Orders to the hostile processor."""
    for number, (text, end) in enumerate(HIJACKED.items()):
        word = text.split(" {")[0].split(" [")[0].replace(" /etc/", "-").replace(" ", "-")
        yield Sent(f"hijacked/{number:02}-{word}.hostile", text.encode(), (end,))


def endless() -> Iterator[Sent]:
    """A loop that ignores signals, a fork bomb, a picture of 6,000 scans, and long sleeps, which cost no CPU time."""
    for number, word in enumerate(("spin", "fork", *["sleep"] * 5)):
        yield Sent(f"forever/{number}-{word}.hostile", word.encode(), (TIME,))
    yield Sent("forever/scans.picture", bombs.jpeg_of_scans(6_000), (TIME,))


def bombed() -> Iterator[Sent]:
    """Pictures that need more memory or pixels than they may have; unpacked text of 80 MB is never read."""
    yield Sent("bomb/animated.webp", bombs.animated_webp(), (PIXELS,))
    yield Sent("bomb/turned.webp", bombs.turned_webp(), (MEMORY,))
    yield Sent("bomb/tile.tiff", bombs.tiff_of_one_tile(), (PIXELS,))
    yield Sent("bomb/strips.tiff.gz", gzip.compress(bombs.tiff_of_many_strips(), 1, mtime=0), (PIXELS,))
    yield Sent("bomb/tall.png", bombs.png(1, 49_000_000, 49_000_000), (PIXELS,))
    text = bombs.png_chunk(b"iTXt", b"key\0\1\0\0\0" + zlib.compress(bytes(80_000_000), 9))
    yield Sent("bomb/text.png", bombs.png(10, 10, 10, text), (SUCCEEDED,))
    for extension in ("png", "jpg", "gif", "bmp"):
        yield Sent(f"bomb/huge.{extension}", bombs.huge(extension), (PIXELS,))


def damaged() -> Iterator[Sent]:
    """Each format cut off at five places, and with bits flipped at ten. A flip may hit a byte that no decoder reads."""
    for extension in pictures.FORMATS:
        whole = pictures.noisy(extension)
        for percent in (1, 10, 50, 90, 97):
            data = whole[: max(2, len(whole) * percent // 100)]
            yield Sent(f"cut/{percent:02}.{extension}", data, (TRUNCATED,))
        for seed in range(10):
            yield Sent(f"flipped/{seed}.{extension}", flipped(whole, seed), (SUCCEEDED, *BROKEN))


def flipped(data: bytes, seed: int) -> bytes:
    """The data with one bit in each of ten bytes flipped, half of them among the first two hundred: the headers."""
    draw = random.Random(seed)
    changed = bytearray(data)
    for _ in range(5):
        for among in (min(200, len(data)), len(data)):
            changed[draw.randrange(among)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def encoded() -> Iterator[Sent]:
    """Files with a Content-Encoding, right or wrong."""
    picture = pictures.quadrants(40, "png")
    packed = gzip.compress(picture, mtime=0)
    yield Sent("encoded/right.png.gz", packed, (SUCCEEDED,))
    yield Sent("encoded/twice.png.gz", gzip.compress(packed, mtime=0), (NOT_A_PICTURE,))
    yield Sent("encoded/cut.png.gz", packed[:-20], (CORRUPT,))
    yield Sent("encoded/changed.png.gz", packed[:-8] + bytes(8), (CORRUPT,))
    yield Sent("encoded/plain.png.gz", picture, (CORRUPT,))
    yield Sent("encoded/zeros.png.gz", gzip.compress(bytes(4 * MAX_FILE_BYTES), 9, mtime=0), (TOO_LARGE,))
    yield Sent("encoded/other.png.br", picture, ("failed unsupported_encoding",))


def disguised() -> Iterator[Sent]:
    """Files that are not what their names say, and files that are two things at once."""
    yield Sent("disguised/empty.png", b"", (EMPTY,))
    yield Sent("disguised/one.jpg", b"\xff", (NOT_A_PICTURE,))
    for extension in pictures.FORMATS:
        actual = pictures.FORMATS[pictures.FORMATS.index(extension) - 1]
        yield Sent(f"disguised/{actual}-as.{extension}", pictures.quadrants(41, actual), (SUCCEEDED,))
    archive = zipped(bytes(50_000_000))
    yield Sent("disguised/zip.jpg", archive, (NOT_A_PICTURE,))
    for name, data in FOREIGN.items():
        yield Sent(f"disguised/{name}.png", data, (UNSUPPORTED if name == "eps" else NOT_A_PICTURE,))
    for extension in pictures.FORMATS:  # data behind a picture change nothing of it
        both = pictures.quadrants(42, extension) + archive
        yield Sent(f"polyglot/zip-behind.{extension}", both, (SUCCEEDED,))
        yield Sent(f"polyglot/zip-before.{extension}", archive + pictures.quadrants(42, extension), (NOT_A_PICTURE,))
        yield Sent(f"polyglot/script.{extension}", pictures.noisy(extension)[:12] + b"/*<script>alert(1)</script>*/", BROKEN)


def optional() -> Iterator[Sent]:
    """HEIC and SVG; without their extras all are unsupported."""
    heic = (ROOT / "tests" / "data" / "heic" / "noise.heic").read_bytes()
    uses = "".join(f'<g id="g{n}">' + f'<use href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 12))
    entities = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    files = {
        "good.heic": (heic, SUCCEEDED),
        "cut.heic": (heic[:-100], TRUNCATED),
        "good.svg": (drawing('<text y="9">a</text><image width="9" height="9" href="/etc/passwd"/>'), SUCCEEDED),
        "disguised-svg.png": (drawing("<script>alert(1)</script>"), SUCCEEDED),
        "cut.svg": (drawing("")[:-1], TRUNCATED),
        "uses.svg": (drawing(f'<g id="g0"/>{uses}<use href="#g11"/>'), UNSUPPORTED),
        "entities.svg": (f"<!DOCTYPE svg [{entities}]>".encode() + drawing("&e9;"), CORRUPT),
        "deep.svg": (drawing("<g>" * 100_000), UNSUPPORTED),
        "huge.svg": (drawing("", 'width="1e9" height="1e9"'), SUCCEEDED),
    }
    for name, (data, end) in files.items():
        extra = "heic" if name.endswith("heic") else "svg"
        yield Sent(f"optional/{name}", data, (end if extras.is_installed(extra) else UNSUPPORTED,))


def drawing(inside: str, attributes: str = 'width="9" height="9"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


BROKEN = (CORRUPT, TRUNCATED, NOT_A_PICTURE, UNSUPPORTED, PIXELS)
FOREIGN = {
    "text": b"words, not pixels\n" * 100,
    "html": b"<!doctype html><img src=x onerror=alert(1)>",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{ } loop\n",
    "elf": b"\x7fELF" + bytes(60),
    "playlist": b"ffconcat version 1.0\nfile 'private.wav'\n",
    "zeros": bytes(4096),
}


def zipped(data: bytes) -> bytes:
    """An archive with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("data"), data, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
