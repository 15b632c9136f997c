"""CRC32C and MD5 as Cloud Storage writes them (base64), computed while bytes pass by, and compared with what a client claims."""

import base64
import hashlib
from collections.abc import Mapping

import google_crc32c

from localcloud.storage.errors import StorageError


class Checksums:
    """Running checksums of a stream."""

    def __init__(self) -> None:
        self._crc32c = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        self._crc32c = google_crc32c.extend(self._crc32c, chunk)
        self._md5.update(chunk)
        self.size += len(chunk)

    @property
    def crc32c(self) -> str:
        """Big-endian, base64: `AAAAAA==` for nothing."""
        return base64.b64encode(self._crc32c.to_bytes(4, "big")).decode()

    @property
    def md5(self) -> str:
        """Base64 of the digest."""
        return base64.b64encode(self._md5.digest()).decode()


def claims(headers: Mapping[str, str]) -> dict[str, str]:
    """What `x-goog-hash: crc32c=…,md5=…` and `Content-MD5` say the bytes should be."""
    found = {}
    for item in headers.get("x-goog-hash", "").split(","):
        kind, _, value = item.strip().partition("=")
        if kind in {"crc32c", "md5"} and value:
            found[kind] = value
    if "content-md5" in headers:
        found["md5"] = headers["content-md5"].strip()
    return found


def check(claimed: Mapping[str, str], actual: Checksums) -> None:
    """400 when a claim does not hold."""
    for kind, value in claimed.items():
        calculated = actual.md5 if kind == "md5" else actual.crc32c
        if value != calculated:
            label = "MD5 hash" if kind == "md5" else "CRC32C"
            raise StorageError(
                400,
                "invalid",
                f'Provided {label} "{value[:60]}" doesn\'t match calculated {label} "{calculated}".',
                "BadDigest",
            )
