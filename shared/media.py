"""Media types: their syntax, and the type of a file by its first bytes and its declared type. Pure."""

import codecs
import re
import zlib

#: How many of a file's first bytes decide its type.
HEAD_BYTES = 8192
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
SVG = "image/svg+xml"
#: Limit of a declared media type, its parameters included.
MAX_CHARACTERS = 255

#: A type or subtype: RFC 6838 §4.2, restricted-name.
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
#: RFC 9110 §5.6.2 and §5.6.4, printable ASCII only: the type becomes a header of a signed URL.
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
#: RFC 9110 §8.3.1, media-type; §5.6.6 allows an empty parameter, as in `image/jpeg;`.
#: Possessive (`*+`), so that a hostile value is refused in linear time.
_TYPE = re.compile(rf"{_NAME}/{_NAME}(?:[ \t]*+;[ \t]*+(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?)*+")
#: A media type, or a range of them such as `image/*` (RFC 9110 §12.5.1), in lower case and without parameters.
_PATTERN = re.compile(rf"(?:\*|{_NAME})/(?:\*|{_NAME})")

#: Types whose bytes are plain text: only the declared type distinguishes them.
_TEXTUAL = ("text/", "application/json", "application/xml", "application/x-ndjson", "application/csv", SVG)

#: Types with a signature although their bytes may all be text. Any other signature in text is chance: `BMW` is no bitmap.
_WRITTEN = ("application/pdf", "application/postscript", "application/rtf")

_GZIP = b"\x1f\x8b"
_SVG_ELEMENT = re.compile(r"<(?:[\w.-]+:)?svg[\s/>]")
_SVG_DOCTYPE = re.compile(r"<!DOCTYPE\s+(?:[\w.-]+:)?svg[\s>\[]")

#: Brands of HEIC (ISO 23008-12 §10) that `filetype` misses without others.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}

#: Types whose files always begin with a known signature: without it, the declared type is wrong.
_SIGNED = ("image/", "audio/", "video/", "text/", "application/pdf", "application/zip", "application/json")


def is_valid(content_type: str) -> bool:
    """Whether this is a media type such as `image/jpeg` or `text/plain; charset="utf-8"` (RFC 9110 §8.3.1)."""
    return len(content_type) <= MAX_CHARACTERS and _TYPE.fullmatch(content_type) is not None


def is_pattern(text: str) -> bool:
    """Whether this is a lower-case media type without parameters, or a range of them such as `image/*`."""
    return text == text.lower() and _PATTERN.fullmatch(text) is not None


def essence(content_type: str) -> str:
    """`Image/JPEG; q=1` → `image/jpeg`; empty → `application/octet-stream`, as Cloud Storage has it."""
    return content_type.partition(";")[0].strip().lower() or UNKNOWN


def sniff(head: bytes) -> str:
    """The type by the first bytes: that of a signature or of SVG, else `text/plain` or `application/octet-stream`."""
    import filetype  # here, so that pipeline.toml can be checked with the standard library alone

    if is_svg(head):
        return SVG
    kind = (filetype.guess_mime(head) or _heif(head)) if head else None
    if _is_text(head):
        return str(kind) if kind in _WRITTEN else TEXT
    return str(kind or UNKNOWN)


def is_svg(head: bytes) -> bool:
    """Whether the first element behind comments and declarations is that of an SVG drawing; it may be compressed."""
    text = _as_text(_unpacked(head) if head.startswith(_GZIP) else head).lstrip()
    while text.startswith(("<?", "<!--")):
        text = text.partition("?>" if text.startswith("<?") else "-->")[2].lstrip()
    return bool(_SVG_ELEMENT.match(text) or _SVG_DOCTYPE.match(text))


def decide_type(declared: str, head: bytes) -> str:
    """The detected type wins; the declared type is used for text and for formats without a known signature."""
    detected = sniff(head)
    if detected == TEXT:
        return declared if declared.startswith(_TEXTUAL) else TEXT
    if detected == UNKNOWN and declared.startswith(_TEXTUAL) and _may_be_text(head):
        return declared
    if detected == UNKNOWN:
        return UNKNOWN if declared.startswith(_SIGNED) else declared
    return detected


def _heif(head: bytes) -> str | None:
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
    return "image/heic" if brands & _HEIC_BRANDS else "image/heif" if b"mif1" in brands else None


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _as_text(head: bytes) -> str:
    """Markup in any encoding that XML names by its first bytes (XML 1.0 appendix F); other characters do not matter."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", errors="replace")
    if head[:4] in (b"<\0?\0", b"\0<\0?"):
        return head.decode("utf-16-le" if head[0] else "utf-16-be", errors="replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _is_text(head: bytes) -> bool:
    if not head or _has_controls(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3  # the end of the head may cut a character in two
    return True


def _may_be_text(head: bytes) -> bool:
    """Whether this may be text in UTF-16 with its mark, or in an 8-bit encoding, which spreadsheets still write."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return len(head) % 2 == 0 and not _has_controls(head.decode("utf-16", errors="replace").encode())
    return bool(head) and not _has_controls(head)


def _has_controls(head: bytes) -> bool:
    return any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
