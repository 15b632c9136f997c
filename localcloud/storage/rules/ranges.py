"""Byte ranges: `Range` of downloads and `Content-Range` of resumable uploads (RFC 9110 §14). Pure."""

import re
from dataclasses import dataclass

from localcloud.storage.errors import StorageError, invalid
from localcloud.storage.model import LengthRange

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
_CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d{1,19})-(-1|\d{1,19}|\*)|\*)/(?:(\d{1,19})|\*)")
_LENGTHS = re.compile(r"(\d{1,19}),(\d{1,19})")


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of one PUT to a resumable upload.

    `first` is None for a status query, `total` is None while it is unknown. With `is_last`, the end of the body is the
    end of the upload.
    """

    first: int | None
    total: int | None
    is_last: bool = False


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a download; None for the whole object. 416 for a range beyond the object.

    A header that is not understood is ignored (RFC 9110 §14.2).
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if not found or found.groups() == ("", ""):
        return None
    first_text, last_text = found.groups()
    if not first_text:
        first, last = max(0, size - int(last_text)), size - 1
    else:
        first, last = int(first_text), min(int(last_text or size), size - 1)
        if last_text and int(last_text) < first:
            return None
    if first > last:
        raise StorageError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", "InvalidRange")
    return first, last


def parse_content_range(header: str | None, content_length: int | None) -> Span:
    """Read `bytes */*`, `*/T`, `a-b/*`, `a-b/T`, `a-*/*` or `a-*/T`; 400 for any other text.

    Node's clients leave the last byte open (`a-*`), and end an empty upload in chunks with `0--1/0`. Without the header, the
    body is the whole object.
    """
    if header is None:
        return Span(0, content_length, is_last=content_length is None)
    found = _CONTENT_RANGE.fullmatch(header.strip())
    if not found:
        raise invalid(f"Failed to parse Content-Range header: {header[:60]!r}")
    first, last, total = (int(text) if text and text != "*" else None for text in found.groups())
    if first is None:
        return Span(None, total)
    if last is None and (total is None or first <= total):
        return Span(first, total, is_last=total is None)
    if last is None or last < first - 1 or (total is not None and last >= total):
        raise invalid(f"Invalid Content-Range: {header[:60]!r}")
    return Span(first, total)


def parse_length_range(header: str | None) -> LengthRange | None:
    """Read `x-goog-content-length-range: 1,1000`; None when the header is absent."""
    if header is None:
        return None
    found = _LENGTHS.fullmatch(header.replace(" ", ""))
    if not found:
        raise invalid(f"Invalid x-goog-content-length-range: {header[:60]!r}")
    return int(found[1]), int(found[2])


def check_length(size: int, allowed: LengthRange | None, complete: bool = True) -> None:
    """400 for a size outside the allowed range; an incomplete upload may still be too small."""
    if allowed is None:
        return
    if size > allowed[1]:
        message = f"Your proposed upload is larger than the maximum object size specified: {size} > {allowed[1]}"
        raise invalid(message, "EntityTooLarge")
    if complete and size < allowed[0]:
        message = f"Your proposed upload is smaller than the minimum object size specified: {size} < {allowed[0]}"
        raise invalid(message, "EntityTooSmall")
