"""A stream of blocks, as Cloud Storage's client reads a body."""

import io
from collections.abc import Iterator


class Blocks(io.RawIOBase):
    """An iterator of blocks as a forward-only file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = bytearray()
        self._position = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while (size < 0 or len(self._held) < size) and (block := next(self._blocks, None)) is not None:
            self._held += block
        taken = bytes(self._held) if size < 0 else bytes(self._held[:size])
        del self._held[: len(taken)]
        self._position += len(taken)
        return taken

    def tell(self) -> int:
        return self._position

    def rest(self, first: bytes) -> Iterator[bytes]:
        """The stream from its start, given the bytes that were read first."""
        yield first
        yield bytes(self._held)
        yield from self._blocks
