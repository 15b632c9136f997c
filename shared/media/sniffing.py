"""The type that a file's first bytes show."""

import codecs
import zlib

from shared.media import boxes, compound, tables, texts, zips
from shared.media.signatures import by_signature, has_late_pdf
from shared.media.syntax import TEXT, UNKNOWN

#: How many of a file's first bytes decide its type.
HEAD_BYTES = 8192
SVG = "image/svg+xml"
PDF = "application/pdf"

#: Types with a signature although their bytes may all be text. Any other signature in text is chance: `BMW` is no bitmap.
_WRITTEN = (PDF, "application/postscript", "application/rtf")
_GZIP = b"\x1f\x8b"


def sniff(head: bytes) -> str:
    """The type by a signature or by a text's grammar; else `text/plain` or `application/octet-stream`."""
    if is_svg(head):
        return SVG
    if is_text(head):
        return _of_text(head)
    if head.startswith(compound.SIGNATURE):
        return compound.by_streams(head)
    if head.startswith(b"PK\x03\x04"):
        return zips.by_entries(head)
    if kind := boxes.by_brand(head) or by_signature(head):
        return kind
    if has_late_pdf(head):
        return PDF
    return (texts.by_mark(texts.as_text(head)) if may_be_text(head) else None) or UNKNOWN


def is_svg(head: bytes) -> bool:
    """Whether the first element behind comments and declarations is that of an SVG drawing; it may be compressed."""
    return texts.is_drawing(texts.as_text(_unpacked(head) if head.startswith(_GZIP) else head))


def is_text(head: bytes) -> bool:
    """Whether these bytes are UTF-8 without control characters."""
    if not head or _has_controls(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3  # the end of the head may cut a character in two
    return True


def may_be_text(head: bytes) -> bool:
    """Whether this may be text in UTF-16 with its mark, or in an 8-bit encoding, which spreadsheets still write."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return len(head) % 2 == 0 and not _has_controls(head.decode("utf-16", errors="replace").encode())
    return bool(head) and not _has_controls(head)


def _of_text(head: bytes) -> str:
    kind = by_signature(head)
    if kind in _WRITTEN:
        return kind
    if has_late_pdf(head):
        return PDF
    text, is_whole = head.decode("utf-8-sig", errors="ignore"), len(head) < HEAD_BYTES
    found = texts.by_mark(text) or texts.by_grammar(text, is_whole=is_whole)
    return found or tables.by_columns(text, is_whole=is_whole) or TEXT


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _has_controls(head: bytes) -> bool:
    return any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
