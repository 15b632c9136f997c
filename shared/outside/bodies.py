"""The body of a request: the file itself, or a form around it. Streamed, with its length known before."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.processors.service_options import Call

BLOCK_BYTES = 64 << 10
#: RFC 7578 §4.2, and how browsers write names: https://html.spec.whatwg.org/#multipart-form-data
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True, slots=True)
class Body:
    """The blocks of a request's body, its length in bytes, and its content type."""

    blocks: Iterator[bytes]
    size: int
    content_type: str


def of(source: Path, options: Call) -> Body:
    """The body for this file."""
    size = source.stat().st_size
    if options.body == "file":
        return Body(_blocks(source), size, options.content_type)
    boundary = f"sluice-{secrets.token_hex(16)}"
    fields = "".join(_part(boundary, name, "") + value + "\r\n" for name, value in (options.fields or {}).items())
    described = f'; filename="{options.file_name.translate(_ESCAPES)}"\r\nContent-Type: {options.content_type}'
    before = (fields + _part(boundary, options.field, described)).encode()
    after = f"\r\n--{boundary}--\r\n".encode()
    whole = len(before) + size + len(after)
    return Body(_around(before, source, after), whole, f"multipart/form-data; boundary={boundary}")


def _part(boundary: str, name: str, described: str) -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name.translate(_ESCAPES)}"{described}\r\n\r\n'


def _around(before: bytes, source: Path, after: bytes) -> Iterator[bytes]:
    yield before
    yield from _blocks(source)
    yield after


def _blocks(source: Path) -> Iterator[bytes]:
    with source.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            yield block
