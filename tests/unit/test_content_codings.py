"""A body or part with a content coding is unpacked within limits, or refused."""

import base64
import gzip
import zlib
from collections.abc import Iterator

import pytest

from shared.errors import PipelineError, TooLarge, UnsupportedCoding, UnsupportedType
from shared.intake.codings import Allowance, decoded
from tests.unit.test_intake import CLOSING, OPENING, TRICKY, cut, files, refusal, request

MIB = 1 << 20
#: `meow`, by gzip(1) and by zlib, with and without its wrapper.
GZIPPED = base64.b64decode("H4sIAAAAAAAAA8tNzS8HAP5qEIoEAAAA")
DEFLATED, RAW = base64.b64decode("eJzLTc0vBwAEPAG5"), base64.b64decode("y03NLwcA")


def unpacked(data: bytes, coding: str, size: int = 100_000, most: int = MIB) -> bytes:
    return b"".join(decoded(cut(data, size), {"content-encoding": coding}, Allowance(most)))


def refused(data: bytes, coding: str, size: int = 100_000) -> PipelineError:
    with pytest.raises(PipelineError) as found:
        unpacked(data, coding, size)
    return found.value


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (GZIPPED, "gzip"),
        (GZIPPED, "X-GZip"),
        (GZIPPED, "identity, gzip"),
        (DEFLATED, "deflate"),
        (RAW, "deflate"),
        (b"meow", "identity"),
        (b"meow", ""),
    ],
    ids=["gzip", "x-gzip", "with identity", "deflate", "deflate without wrapper", "identity", "nothing"],
)
def test_a_body_is_unpacked_however_it_is_cut(data: bytes, coding: str, size: int) -> None:
    assert unpacked(data, coding, size) == b"meow"


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_gzip_body_may_have_several_members(size: int) -> None:
    assert unpacked(GZIPPED * 3, "gzip", size) == b"meow" * 3


@pytest.mark.parametrize("length", [4 * MIB, (1 << 18) - 1, 1 << 18, (1 << 18) + 1])
@pytest.mark.parametrize("bits", [15, -15, 31])
def test_what_packs_well_is_unpacked_whole(length: int, bits: int) -> None:
    data = (b"abcdefghij" * length)[:length]  # with a limit on each piece, the last bytes come after the end of the input
    packed = zlib.compress(data, 1, wbits=bits)

    assert unpacked(packed, "gzip" if bits == 31 else "deflate", most=length) == data


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (b"", "gzip"),
        (GZIPPED[:-1], "gzip"),
        (GZIPPED[:5], "gzip"),
        (GZIPPED + GZIPPED[:5], "gzip"),
        (DEFLATED[:-1], "deflate"),
        (RAW[:-1], "deflate"),
        (GZIPPED + b"x", "gzip"),
        (GZIPPED + bytes(512), "gzip"),
        (DEFLATED + b"x", "deflate"),
        (DEFLATED + DEFLATED, "deflate"),
        (b"meow", "gzip"),
        (b"meow", "deflate"),
        (GZIPPED, "deflate"),
        (DEFLATED, "gzip"),
        (GZIPPED[:-8] + bytes(8), "gzip"),
    ],
)
def test_a_body_that_is_not_whole_and_nothing_else_is_refused(data: bytes, coding: str, size: int) -> None:
    error = refused(data, coding, size)

    assert (error.status, error.code) == (400, "bad_encoding")
    assert coding in error.message


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "deflate, gzip", "aws-chunked", "gzip;q=1"])
def test_another_coding_is_refused_before_anything_is_read(coding: str) -> None:
    def never() -> Iterator[bytes]:
        pytest.fail("read")
        yield b""

    with pytest.raises(UnsupportedCoding) as found:
        decoded(never(), {"content-encoding": coding}, Allowance(1))

    assert found.value.accepted == "gzip, deflate"
    assert coding in found.value.message


@pytest.mark.parametrize("coding", ["base64", "quoted-printable", "x-uuencode"])
def test_a_transfer_encoding_for_mail_is_refused(coding: str) -> None:
    body = OPENING[:-2] + f"Content-Transfer-Encoding: {coding}\r\n\r\n".encode() + b"bWVvdw==" + CLOSING
    error = refusal(request([body]))

    assert (type(error), error.code) == (UnsupportedType, "unsupported_encoding")
    assert coding in error.message


@pytest.mark.parametrize("coding", ["7bit", "8bit", "Binary"])
def test_a_transfer_encoding_that_changes_nothing_is_accepted(coding: str) -> None:
    body = OPENING[:-2] + f"Content-Transfer-Encoding: {coding}\r\n\r\n".encode() + TRICKY + CLOSING

    assert files(request([body])) == [("cat.jpg", "image/jpeg", TRICKY)]


@pytest.mark.parametrize("size", [1, 100])
def test_a_raw_body_a_whole_form_and_a_part_are_unpacked(size: int) -> None:
    gzipped = {"content-encoding": "gzip"}
    form = gzip.compress(OPENING + TRICKY + CLOSING)
    part = OPENING[:-2] + b"content-encoding: GZIP\r\n\r\n" + gzip.compress(TRICKY) + CLOSING
    raw = request(cut(GZIPPED, size), path="/cat.jpg", kind="image/jpeg", headers=gzipped, length=len(GZIPPED))

    assert files(raw) == [("cat.jpg", "image/jpeg", b"meow")]
    assert files(request(cut(form, size), headers=gzipped)) == [("cat.jpg", "image/jpeg", TRICKY)]
    assert files(request(cut(part, size))) == [("cat.jpg", "image/jpeg", TRICKY)]


def test_the_limit_holds_for_all_parts_together() -> None:
    part = OPENING[:-2] + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(MIB)) + b"\r\n"
    asked = request([part * 3 + CLOSING[2:]])
    asked.max_content_length = 3 * MIB - 1

    error = refusal(asked)

    assert isinstance(error, TooLarge)
    assert "3145727 bytes" in error.message


def test_the_members_of_all_parts_together_have_a_limit() -> None:
    allowance, half = Allowance(MIB), gzip.compress(b"") * 5_000
    for _part in range(2):
        assert b"".join(decoded(cut(half, 100_000), {"content-encoding": "gzip"}, allowance)) == b""
    with pytest.raises(TooLarge, match="10000 gzip members"):
        list(decoded(iter([GZIPPED]), {"content-encoding": "gzip"}, allowance))


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    packed = zlib.compressobj(wbits=31)
    bomb = b"".join(packed.compress(bytes(MIB)) for _ in range(256)) + packed.flush()
    sizes: list[int] = []

    def unpack() -> None:
        sizes.extend(len(piece) for piece in decoded(iter([bomb]), {"content-encoding": "gzip"}, Allowance(MIB)))

    with pytest.raises(TooLarge):
        unpack()
    assert sizes == [1 << 18] * 4
