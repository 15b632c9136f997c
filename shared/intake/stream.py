"""One file of a request, and the stream of its bytes that the bucket reads."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import google_crc32c

from shared import media
from shared.errors import TooLarge


@dataclass(frozen=True, slots=True)
class Incoming:
    """One file of a request, with its custom metadata. `blocks` can be read once."""

    name: str
    content_type: str
    blocks: Iterator[bytes]
    metadata: Mapping[str, str] = field(default_factory=dict)


class ChecksummedStream:
    """A stream of blocks that counts its bytes and computes their crc32c.

    `head` holds the first bytes before the stream is read; `size` and `crc32c` are complete after it. Reading past `max_bytes`
    raises `TooLarge` with the message `too_large`.
    """

    def __init__(self, blocks: Iterator[bytes], max_bytes: int, too_large: str) -> None:
        self.size = 0
        self._crc32c = google_crc32c.Checksum()
        self._max_bytes = max_bytes
        self._too_large = too_large
        first = bytearray()
        while len(first) < media.HEAD_BYTES and (block := next(blocks, None)) is not None:
            first += block
        self.head = bytes(first[: media.HEAD_BYTES])
        self._blocks = chain([bytes(first)] if first else [], blocks)

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.size += len(block)
            if self.size > self._max_bytes:
                raise TooLarge(self._too_large)
            self._crc32c.update(block)
            yield block

    def drain(self) -> None:
        """Read the rest, so that `size` and `crc32c` cover the whole stream."""
        for _block in self:
            pass

    @property
    def crc32c(self) -> str:
        return base64.b64encode(self._crc32c.digest()).decode()
