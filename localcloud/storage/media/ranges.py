"""Byte ranges: `Range` of downloads and `Content-Range` of resumable uploads (RFC 9110 §14). Pure."""

import re
from dataclasses import dataclass

from localcloud.storage.errors import StorageError, invalid

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
_CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d{1,19})-(\d{1,19})|\*)/(?:(\d{1,19})|\*)")
_LENGTHS = re.compile(r"(\d{1,19}),(\d{1,19})")


#: From so many bytes to so many, both included.
LengthRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """What a PUT to a resumable upload brings: from `first` (None: nothing, a question) of `total` (None: not known)."""

    first: int | None
    length: int | None
    total: int | None


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte; None when the whole is to be sent (RFC 9110: a range not understood is ignored), else 416."""
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
    """`bytes */*`, `*/T`, `a-b/*`, `a-b/T`; without the header the body is the whole object."""
    if header is None:
        return Span(0, content_length, content_length)
    found = _CONTENT_RANGE.fullmatch(header.strip())
    if not found:
        raise invalid(f"Failed to parse Content-Range header: {header[:60]!r}")
    first, last, total = (None if text is None else int(text) for text in found.groups())
    if first is None or last is None:
        return Span(None, 0, total)
    if last < first - 1 or (total is not None and last >= total):
        raise invalid(f"Invalid Content-Range: {header[:60]!r}")
    return Span(first, last - first + 1, total)


def parse_length_range(header: str | None) -> LengthRange | None:
    """`x-goog-content-length-range: 1,1000`; None when absent."""
    if header is None:
        return None
    found = _LENGTHS.fullmatch(header.replace(" ", ""))
    if not found:
        raise invalid(f"Invalid x-goog-content-length-range: {header[:60]!r}")
    return int(found[1]), int(found[2])


def check_length(size: int, allowed: LengthRange | None, complete: bool = True) -> None:
    """400 when so many bytes are too many or, once `complete`, too few."""
    if allowed is None:
        return
    if size > allowed[1]:
        message = f"Your proposed upload is larger than the maximum object size specified: {size} > {allowed[1]}"
        raise StorageError(400, "invalid", message, "EntityTooLarge")
    if complete and size < allowed[0]:
        message = f"Your proposed upload is smaller than the minimum object size specified: {size} < {allowed[0]}"
        raise StorageError(400, "invalid", message, "EntityTooSmall")
