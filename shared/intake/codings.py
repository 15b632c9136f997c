"""Content codings: a body or part with `Content-Encoding: gzip` is unpacked while it streams, within a limit."""

import zlib
from collections.abc import Iterator, Mapping

from shared.errors import BadRequest, TooLarge, UnsupportedCoding, UnsupportedType

#: Most bytes that are unpacked at once.
PIECE_BYTES = 1 << 18
#: Most gzip members of a request: an empty one has 20 bytes, and takes as long as thousands of bytes.
MAX_MEMBERS = 10_000
GZIP_BITS, ZLIB_BITS, RAW_BITS = 31, 15, -15
ACCEPTED = "gzip, deflate"
#: RFC 2045 §6.2: these change nothing.
_PLAIN_TRANSFER = ("", "7bit", "8bit", "binary")


class Allowance:
    """How many bytes a request may still unpack, all its parts together: many small parts could each become large."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = self._left = max_bytes
        self._members = 0

    @property
    def next_bytes(self) -> int:
        """Most bytes to unpack at once. No more than are left, so that a limit of the file itself is reached first."""
        return max(1, min(PIECE_BYTES, self._left))

    def take(self, piece: bytes) -> bytes:
        """The piece again. Raises `TooLarge`."""
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge(f"unpacked, the body has more than {self._max_bytes} bytes, the limit")
        return piece

    def begin_member(self) -> None:
        """Count one more member. Raises `TooLarge`."""
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise TooLarge(f"the body consists of more than {MAX_MEMBERS} gzip members; pack the file as one")


def decoded(blocks: Iterator[bytes], headers: Mapping[str, str], allowance: Allowance) -> Iterator[bytes]:
    """The bytes without their content coding; these are the headers of a request, or of a part of a form.

    Raises `UnsupportedCoding` and `UnsupportedType` before anything is read; later `BadRequest` and `TooLarge`.
    """
    transfer = headers.get("content-transfer-encoding", "").strip().lower()
    if transfer not in _PLAIN_TRANSFER:
        raise UnsupportedType(
            f"Content-Transfer-Encoding: {transfer[:40]} is for mail; send the file's bytes as they are", "unsupported_encoding"
        )
    codings = [one.strip().lower() for one in headers.get("content-encoding", "").split(",")]
    applied = [one for one in codings if one not in ("", "identity")]
    if not applied:
        return blocks
    if len(applied) > 1 or applied[0] not in ("gzip", "x-gzip", "deflate"):
        given = ", ".join(applied)[:80]
        raise UnsupportedCoding(
            f"Content-Encoding: {given} is not unpacked here; send gzip, deflate, or the bytes as they are", accepted=ACCEPTED
        )
    return _unpacked(blocks, applied[0], allowance)


def _unpacked(blocks: Iterator[bytes], coding: str, allowance: Allowance) -> Iterator[bytes]:
    """Member by member: a gzip file may consist of several (RFC 1952 §2.2)."""
    unpacker, is_first = None, True
    for block in blocks:
        rest = block
        while rest:
            if unpacker is None:
                allowance.begin_member()
                unpacker = _next_unpacker(rest, coding, is_first=is_first)
                is_first = False
            piece = _piece(unpacker, rest, coding, allowance.next_bytes)
            if piece:
                yield allowance.take(piece)
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            unpacker = None if unpacker.eof else unpacker
    if unpacker:
        yield allowance.take(unpacker.flush())  # the little that the limit of the last piece held back
    if is_first or (unpacker and not unpacker.eof):
        raise _bad(coding, "is cut short")


def _piece(unpacker: "zlib._Decompress", data: bytes, coding: str, most: int) -> bytes:
    try:
        return unpacker.decompress(data, most)
    except zlib.error:
        raise _bad(coding, "is damaged, or is something else") from None


def _next_unpacker(data: bytes, coding: str, *, is_first: bool) -> "zlib._Decompress":
    if coding != "deflate":
        return zlib.decompressobj(GZIP_BITS)
    if not is_first:
        raise _bad(coding, "has bytes after its end")
    # RFC 9110 §8.4.1.2: some clients send no zlib wrapper. Its first byte is 8 in the lower half, for at most 32 KiB of history.
    return zlib.decompressobj(ZLIB_BITS if data[0] & 0x8F == 0x08 else RAW_BITS)


def _bad(coding: str, fault: str) -> BadRequest:
    return BadRequest(
        f"the body does not unpack by its Content-Encoding, {coding}: it {fault}; nothing of this file was stored, send it again",
        "bad_encoding",
    )
