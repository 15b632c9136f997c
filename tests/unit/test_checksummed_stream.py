"""A stream counts and checksums its bytes while they pass."""

import pytest

from shared import media
from shared.errors import TooLarge
from shared.intake import ChecksummedStream
from shared.testing import crc32c
from tests.unit.test_intake import TRICKY, cut


@pytest.mark.parametrize("size", [1, 100, 5000, 100_000])
def test_a_stream_is_checksummed_while_it_passes(size: int) -> None:
    data = TRICKY * 30
    stream = ChecksummedStream(cut(data, size), len(data), "too large")
    head = stream.head

    passed = b"".join(stream)

    assert passed == data
    assert head == data[: media.HEAD_BYTES]
    assert stream.size == len(data)
    assert stream.crc32c == crc32c(data)


def test_a_drained_stream_is_checksummed_whole() -> None:
    stream = ChecksummedStream(cut(TRICKY, 7), 10_000, "too large")

    stream.drain()

    assert (stream.size, stream.crc32c) == (len(TRICKY), crc32c(TRICKY))


def test_a_stream_stops_as_soon_as_it_is_too_large() -> None:
    asked = iter(cut(b"a" * 1_000_000, 10_000))
    stream = ChecksummedStream(asked, 20_000, "at most 20 kB")

    with pytest.raises(TooLarge, match="at most 20 kB"):
        stream.drain()
    assert len(list(asked)) == 97
