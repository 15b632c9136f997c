"""MIME multipart bodies: uploads (`related`, `form-data`) as streams, and batches (`mixed`) in memory.

Python's client sends CRLF and a double-quoted boundary; apitools sends LF and single quotes.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from localcloud.http import parse_resource
from localcloud.storage.errors import invalid

#: Limit on buffered data: the preamble, the JSON part of an upload, or one field of a form.
MAX_METADATA_BYTES = 1 << 20
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]+)\"|'([^']+)'|([^;\s]+))", re.IGNORECASE)
_QUOTED = re.compile(r'(\w+)="([^"]*)"')


@dataclass(slots=True)
class Related:
    """The two parts of an upload: the object's JSON, and the media with its own content type."""

    metadata: dict[str, Any]
    media_type: str | None
    media: AsyncIterator[bytes]


@dataclass(slots=True)
class Form:
    """The fields of a form, with lower-case names, and its file with a content type of its own."""

    fields: dict[str, str]
    filename: str
    media_type: str
    media: AsyncIterator[bytes]


def boundary(content_type: str) -> bytes:
    """The boundary in a Content-Type header; 400 for a missing one."""
    found = _BOUNDARY.search(content_type)
    if not found:
        raise invalid("The multipart Content-Type has no boundary.")
    return next(text for text in found.groups() if text).encode("latin-1", "replace")


async def parse_related(content_type: str, body: AsyncIterator[bytes]) -> Related:
    """Read up to the media, which the caller iterates; 400 for a body that ends too early."""
    delimiter = b"--" + boundary(content_type)
    buffer = bytearray()
    await _fill(buffer, body, delimiter)
    del buffer[: buffer.index(delimiter) + len(delimiter)]
    await _fill(buffer, body, b"\n")
    newline = b"\r\n" if buffer.startswith(b"\r\n") else b"\n"
    await _fill(buffer, body, newline + delimiter + newline)
    first, _, rest = bytes(buffer).partition(newline + delimiter + newline)
    metadata = parse_resource(split_part(first[len(newline) :])[1])
    buffer = bytearray(newline + rest)
    await _fill(buffer, body, newline * 2)
    head, _, start = bytes(buffer).partition(newline * 2)
    media_type = part_headers(head).get("content-type")
    return Related(metadata, media_type, _until(newline + delimiter, start, body))


async def parse_form(content_type: str, body: AsyncIterator[bytes]) -> Form:
    """Read the fields up to the file, which the caller iterates. Fields after the file are ignored."""
    delimiter = b"\r\n--" + boundary(content_type)
    buffer = bytearray(b"\r\n")
    fields: dict[str, str] = {}
    await _fill(buffer, body, delimiter)
    while True:
        del buffer[: buffer.index(delimiter) + len(delimiter)]
        await _fill(buffer, body, b"\r\n\r\n")
        head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
        headers = part_headers(head)
        name, filename = _disposition(headers.get("content-disposition", ""))
        if name == "file":
            media_type = headers.get("content-type", "application/octet-stream")
            return Form(fields, filename, media_type, _until(delimiter, rest, body))
        buffer = bytearray(rest)
        await _fill(buffer, body, delimiter)
        fields[name.lower()] = bytes(buffer).partition(delimiter)[0].decode("utf-8", "replace")


def parse_mixed(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Headers and content of each part of a batch."""
    delimiter = b"--" + boundary(content_type)
    parts = re.split(rb"(?:^|\r?\n)" + re.escape(delimiter) + rb"(?:--)?[ \t]*(?:\r?\n|$)", body)
    return [(part_headers(head), content) for head, content in map(split_part, parts) if head.strip()]


def split_part(part: bytes) -> tuple[bytes, bytes]:
    """Header block and content of a part, which an empty line separates."""
    pieces = re.split(rb"\r?\n\r?\n", b"\n" + part, maxsplit=1)
    return pieces[0], pieces[1] if len(pieces) == 2 else b""


def part_headers(head: bytes) -> dict[str, str]:
    """The headers of a part, with lower-case names."""
    lines = (line.partition(":") for line in head.decode("latin-1").splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}


async def _fill(buffer: bytearray, body: AsyncIterator[bytes], wanted: bytes) -> None:
    while wanted not in buffer:
        if len(buffer) > MAX_METADATA_BYTES:
            raise invalid("Metadata part is too large.")
        chunk = await anext(body, b"")
        if not chunk:
            raise invalid("The multipart body lacks its media part or a boundary.")
        buffer += chunk


async def _until(end: bytes, start: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    # The end marker may span two chunks, so its length in bytes is held back.
    held = start
    while (position := held.find(end)) < 0:
        safe = len(held) - len(end) + 1
        if safe > 0:
            yield held[:safe]
            held = held[safe:]
        chunk = await anext(body, b"")
        if not chunk:
            raise invalid("The multipart body ends before its closing boundary.")
        held += chunk
    if position:
        yield held[:position]


def _disposition(header: str) -> tuple[str, str]:
    """Field name and file name of a form's part."""
    found = {key: value.encode("latin-1").decode("utf-8", "replace") for key, value in _QUOTED.findall(header)}
    return found.get("name", ""), found.get("filename", "")
