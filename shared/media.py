"""Media types: their syntax, and the type of a file by its first bytes and its declared type. Pure."""

import codecs
import re

#: How many of a file's first bytes decide its type.
HEAD_BYTES = 8192
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
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
_TEXTUAL = ("text/", "application/json", "application/xml", "application/x-ndjson", "application/csv", "image/svg+xml")

#: Types with a signature although their bytes may all be text. Any other signature in text is chance: `BMW` is no bitmap.
_WRITTEN = ("application/pdf", "application/postscript", "application/rtf")

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
    """The content type by the first bytes: that of a signature, else `text/plain` or `application/octet-stream`."""
    import filetype  # here, so that pipeline.toml can be checked with the standard library alone

    kind = filetype.guess_mime(head) if head else None
    if _is_text(head):
        return str(kind) if kind in _WRITTEN else TEXT
    return str(kind or UNKNOWN)


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
