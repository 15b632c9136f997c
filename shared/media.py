"""What a file is, told from its first bytes; what its sender says counts only where bytes cannot tell. Pure."""

import codecs
import re

import filetype

#: How much of a file's beginning is looked at.
HEAD_BYTES = 8192
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"

#: RFC 6838, 4.2, without parameters
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")

#: Kinds whose bytes are plain text, so that only the sender can tell them apart.
_TEXTUAL = ("text/", "application/json", "application/xml", "application/x-ndjson", "application/csv", "image/svg+xml")

#: Kinds that may be all text and begin with a signature nonetheless; any other signature in text is chance: `BMW` is no bitmap.
_WRITTEN = ("application/pdf", "application/postscript", "application/rtf")

#: Kinds whose bytes begin with a signature that we know: without it, a file is not what its sender says.
_SIGNED = ("image/", "audio/", "video/", "text/", "application/pdf", "application/zip", "application/json")


def sniff(head: bytes) -> str:
    """The content type that a file's first bytes show: a known signature, else `text/plain`, else `application/octet-stream`."""
    kind = filetype.guess_mime(head) if head else None
    if _is_text(head):
        return str(kind) if kind in _WRITTEN else TEXT
    return str(kind or UNKNOWN)


def is_type(declared: str) -> bool:
    """Whether this is a media type such as `image/jpeg`, in lower case and without parameters."""
    return bool(_TYPE.fullmatch(declared))


def settle(declared: str, head: bytes) -> str:
    """The content type to go by: what the bytes show; the sender's word where they show text or nothing we know of such files."""
    shown = sniff(head)
    if shown == TEXT:
        return declared if declared.startswith(_TEXTUAL) else TEXT
    if shown == UNKNOWN and declared.startswith(_TEXTUAL) and _may_be_text(head):
        return declared
    if shown == UNKNOWN:
        return UNKNOWN if declared.startswith(_SIGNED) else declared
    return shown


def _is_text(head: bytes) -> bool:
    if not head or _has_controls(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3  # a character cut in two by the end of the head
    return True


def _may_be_text(head: bytes) -> bool:
    """In one of the encodings that are not UTF-8: UTF-16, which says so, or one of 8 bits, which spreadsheets still write."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return len(head) % 2 == 0 and not _has_controls(head.decode("utf-16", errors="replace").encode())
    return bool(head) and not _has_controls(head)


def _has_controls(head: bytes) -> bool:
    return any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
