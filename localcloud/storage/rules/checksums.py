"""CRC32C and MD5 in base64: computed over a stream, and compared with a client's claims. Pure."""

import base64
import hashlib
from collections.abc import Mapping

import google_crc32c

from localcloud.storage.errors import StorageError, invalid

_LABELS = {"crc32c": "CRC32C", "md5": "MD5 hash"}


class Checksums:
    """Running checksums of a stream, and its size in bytes."""

    def __init__(self) -> None:
        self._crc32c = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self._crc32c = google_crc32c.extend(self._crc32c, chunk)
        self._md5.update(chunk)
        self.size += len(chunk)

    @property
    def crc32c(self) -> str:
        """Big-endian, base64; `AAAAAA==` for an empty stream."""
        return base64.b64encode(self._crc32c.to_bytes(4, "big")).decode()

    @property
    def md5(self) -> str:
        """Base64 of the digest."""
        return base64.b64encode(self._md5.digest()).decode()


def claims(headers: Mapping[str, str]) -> dict[str, str]:
    """The checksums that `x-goog-hash: crc32c=…,md5=…` and `Content-MD5` claim, by kind. 400 for two that differ."""
    found: dict[str, str] = {}
    for item in headers.get("x-goog-hash", "").split(","):
        kind, _, value = item.strip().partition("=")
        if kind in _LABELS and value:
            found = agreed(found, {kind: value})
    return agreed(found, {"md5": headers["content-md5"].strip()}) if "content-md5" in headers else found


def agreed(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """The claims of two places in one upload; 400 where they differ, because one of them is wrong."""
    for kind, value in second.items():
        if first.get(kind, value) != value:
            raise _mismatch(kind, first[kind], f"provided {_LABELS[kind]}", value)
    return {**first, **second}


def check(claimed: Mapping[str, str], actual: Checksums) -> None:
    """400 for a claim that differs from the actual checksum."""
    for kind, value in claimed.items():
        calculated = actual.md5 if kind == "md5" else actual.crc32c
        if value != calculated:
            raise _mismatch(kind, value, f"calculated {_LABELS[kind]}", calculated)


def _mismatch(kind: str, value: str, other: str, expected: str) -> StorageError:
    return invalid(f'Provided {_LABELS[kind]} "{value[:60]}" doesn\'t match {other} "{expected[:60]}".', "BadDigest")
