"""The format of a picture, by its first bytes, with the names of formats that are not opened."""

import struct
from collections.abc import Iterator

from shared import media
from shared.processors.picture.refusals import not_a_picture, unsupported

#: Signatures and brands lie within as many bytes, and so does what stands before the first element of an SVG drawing.
HEAD_BYTES = media.HEAD_BYTES
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)

#: offset, bytes → Pillow's name of the format; camera raw files, which begin as TIFF does, stand in `_OTHERS`
_OPENED = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WEBP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
)
_RAW = "a camera raw file"
_OTHERS = (
    (8, b"CR\x02\0", _RAW),
    (0, b"IIRO", _RAW),
    (0, b"IIRS", _RAW),
    (0, b"MMOR", _RAW),
    (0, b"IIU\0", _RAW),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (0, b"\0MRM", _RAW),
    (0, b"FOVb", _RAW),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (0, b"%PDF-", "a PDF file"),
    (0, b"icns", "an Apple icon"),
    (0, b"\xff\x0a", "a JPEG XL file"),
    (4, b"JXL \r\n\x87\n", "a JPEG XL file"),
    (4, b"jP  \r\n\x87\n", "a JPEG 2000 file"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (0, b"II\xbc", "a JPEG XR file"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR file"),
    (0, b"#?RADIANCE", "a Radiance HDR file"),
    (0, b"qoif", "a QOI file"),
    (0, b"gimp xcf", "a GIMP file"),
    (0, b"DDS ", "a DirectDraw surface"),
    (0, b"\x01\xda", "an SGI picture"),
    (0, b"\x0a\x05\x01", "a PCX picture"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (40, b" EMF", "a Windows metafile"),
    (128, b"DICM", "a DICOM file"),
    (0, b"SIMPLE  =", "a FITS file"),
    (0, b"\x8aMNG", "an MNG file"),
    (0, b"AT&TFORM", "a DjVu file"),
)
#: Brands of HEIC and HEIF, also of their sequences (ISO 23008-12 §10).
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")


def format_of(head: bytes) -> str:
    """Pillow's name of the format. Raises `BadFile`: `unsupported` with the kind's name, or `not_a_picture`."""
    if other := next((name for at, mark, name in _OTHERS if head.startswith(mark, at)), None):
        raise unsupported(other)
    for at, mark, name in _OPENED:
        if head.startswith(mark, at):
            return name
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if media.is_svg(head):
        return "SVG"
    raise _without_signature(head)


def _by_brand(head: bytes) -> str:
    """AVIF and HEIC are the same container with other brands (ISO 14496-12 §4.3)."""
    brands = list(_brands(head))
    if any(brand in (b"avif", b"avis") for brand in brands):
        return "AVIF"
    if b"crx " in brands:
        raise unsupported(_RAW)
    if any(brand in _HEIF for brand in brands):
        return "HEIF"
    raise not_a_picture()


def _brands(head: bytes) -> Iterator[bytes]:
    (length,) = struct.unpack(">I", head[:4])
    yield head[8:12]
    yield from (head[at : at + 4] for at in range(16, min(length, len(head)), 4))


def _without_signature(head: bytes) -> Exception:
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return unsupported("a PBM, PGM or PPM picture")
    if head[:4] in (b"\0\0\x01\0", b"\0\0\x02\0") and head[4] > 0 and head[5] == 0:
        return unsupported("a Windows icon")
    if head[1:2] == b"\0" and head[2:3] in b"\x02\x03\x0a\x0b" and head[3:8] == bytes(5) and head[16:17] in b"\x08\x10\x18\x20":
        return unsupported("a Targa picture")
    return not_a_picture()
