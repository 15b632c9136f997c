"""Compare the checksums that a client sends with the bytes while these stream, before the file's end is stored.

| header | syntax | algorithms |
|---|---|---|
| `Content-MD5` (RFC 1864) | base64 | MD5 |
| `Digest` (RFC 3230) | `sha-256=<base64>, …` | MD5, SHA-1, SHA-256, SHA-512 |
| `Content-Digest`, `Repr-Digest` (RFC 9530) | `sha-256=:<base64>:, …` | the same, CRC-32C |
| `x-goog-hash` (Cloud Storage) | `crc32c=<base64>,md5=<base64>` | CRC-32C, MD5 |

All are of the bytes as they are sent, before unpacking. Other algorithms are ignored, as RFC 9530 asks.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import google_crc32c

from shared.errors import BadRequest


class Hash(Protocol):
    """A hash of hashlib, or a checksum of google_crc32c."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How to compute a checksum, and its size in bytes."""

    start: Callable[[], Hash]
    size: int


MD5 = Algorithm(partial(hashlib.md5, usedforsecurity=False), 16)
CRC32C = Algorithm(google_crc32c.Checksum, 4)
_SHA = {
    "sha": Algorithm(partial(hashlib.sha1, usedforsecurity=False), 20),
    "sha-256": Algorithm(hashlib.sha256, 32),
    "sha-512": Algorithm(hashlib.sha512, 64),
}
_DIGEST = {"md5": MD5, **_SHA}
_STRUCTURED = {**_DIGEST, "crc32c": CRC32C}
_GOOGLE = {"md5": MD5, "crc32c": CRC32C}

#: A member `sha-256=:<base64>:`, with parameters (RFC 9651 §3.2).
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):[ \t]*(?:;.*)?")


@dataclass(frozen=True, slots=True)
class Expected:
    """A checksum that a client sent, and where."""

    where: str
    algorithm: Algorithm
    value: bytes


def expected(headers: Mapping[str, str]) -> list[Expected]:
    """The checksums among the headers of a request, or of a part of a form. Raises `BadRequest` for a malformed one."""
    found = [_one("Content-MD5", MD5, headers["content-md5"])] if "content-md5" in headers else []
    found += _listed("Digest", headers, _DIGEST)
    found += _listed("x-goog-hash", headers, _GOOGLE)
    for name in ("Content-Digest", "Repr-Digest"):
        found += _listed(name, headers, _STRUCTURED, is_structured=True)
    return found


def compared(blocks: Iterator[bytes], wanted: list[Expected]) -> Iterator[bytes]:
    """The same blocks. Raises `BadRequest` after the last one where a checksum differs."""
    return _compared(blocks, wanted) if wanted else blocks


def _compared(blocks: Iterator[bytes], wanted: list[Expected]) -> Iterator[bytes]:
    # Each algorithm once: a header has room for hundreds of checksums, a request for thousands.
    hashes = {algorithm: algorithm.start() for algorithm in {each.algorithm for each in wanted}}
    for block in blocks:
        for one in hashes.values():
            one.update(block)
        yield block
    found = {algorithm: one.digest() for algorithm, one in hashes.items()}
    for each in wanted:
        if not hmac.compare_digest(found[each.algorithm], each.value):
            have, want = (base64.b64encode(value).decode() for value in (found[each.algorithm], each.value))
            raise BadRequest(
                f"{each.where} is {want}, but the bytes that arrived have {have}; nothing of this file was stored, send it again",
                "digest_mismatch",
            )


def _listed(
    name: str, headers: Mapping[str, str], algorithms: Mapping[str, Algorithm], *, is_structured: bool = False
) -> Iterator[Expected]:
    members = [member.strip() for member in headers.get(name.lower(), "").split(",")]
    for member in filter(None, members):
        key, _, value = member.partition("=")
        algorithm = algorithms.get(key.strip().lower())
        if algorithm:
            where = f"{name} ({key.strip().lower()})"
            yield _one(where, algorithm, _inner(where, value) if is_structured else value)


def _inner(where: str, value: str) -> str:
    found = _BYTES.fullmatch(value)
    if not found:
        raise BadRequest(f"{where} is not base64 between colons, as in sha-256=:…:; correct it", "bad_digest")
    return found[1]


def _one(where: str, algorithm: Algorithm, text: str) -> Expected:
    try:
        value = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != algorithm.size:
        raise BadRequest(f"{where} is not the base64 of {algorithm.size} bytes; correct it, or leave it out", "bad_digest")
    return Expected(where, algorithm, value)
