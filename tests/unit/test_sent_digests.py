"""Checksums that a client sends are compared with the bytes. Openssl(1) and `gsutil hash` made the values."""

import hashlib
from collections.abc import Iterator

import pytest
from flask import Request

from shared import intake
from shared.errors import BadRequest, PipelineError
from shared.intake.digests import Algorithm, Expected, Hash, compared
from tests.unit.test_content_codings import GZIPPED
from tests.unit.test_intake import CLOSING, OPENING, files, refusal, request

#: Checksums of `meow`.
MD5, CRC32C = "SkvkDJasYxTpHZPzgEOmNA==", "u86qsg=="
SHA1, SHA256 = "fVwqLWE2+/FmIR1Rg79mIUokfzE=", "QEzde8EJxDL4zCRDtFvP6VmA9RByFcZFI25XeSmsPlI="
SHA512 = "6INIJputA2Fg8NlVi3xd5oFjtQ4abORuhe5kaS66B0UppKK0jbTVw2SW6EUAHhPm0HxYXqzVZN78v3GeyQM+Fw=="

RIGHT = [
    ("Content-MD5", MD5),
    ("Digest", f"SHA-256={SHA256}"),
    ("Digest", f"sha-512={SHA512},md5={MD5},sha={SHA1}"),
    ("Digest", "unixsum=30637"),
    ("Content-Digest", f"sha-256=:{SHA256}:"),
    ("Content-Digest", f"sha-512=:{SHA512}:, sha-256=:{SHA256}:;q=1"),
    ("Content-Digest", "sha-384=:AAAA:, other, more=1"),
    ("Repr-Digest", f"md5=:{MD5}:, sha=:{SHA1}:, crc32c=:{CRC32C}:"),
    ("x-goog-hash", f"crc32c={CRC32C}"),
    ("X-Goog-Hash", f"crc32c={CRC32C},md5={MD5}"),
    ("Content-Digest", ""),
]
#: The same, one after the other, of other bytes.
WRONG = [
    (name, value.replace(good, good[1] + good[0] + good[2:]))
    for name, value in RIGHT
    for good in (MD5, CRC32C, SHA1, SHA256, SHA512)
    if good in value
]
MALFORMED = [
    ("Content-MD5", ""),
    ("Content-MD5", "4a4be40c96ac6314e91d93f38043a634"),
    ("Content-MD5", CRC32C),
    ("Content-MD5", f"{MD5},{MD5}"),
    ("Digest", "sha-256=no base64"),
    ("Digest", "md5"),
    ("Content-Digest", f"sha-256={SHA256}"),
    ("Content-Digest", f"sha-256=:{MD5}:"),
    ("Content-Digest", "sha-256=?1"),
    ("Repr-Digest", "md5"),
    ("x-goog-hash", "crc32c=4157332145"),
    ("x-goog-hash", f"md5=:{MD5}:"),
]


def raw(name: str, value: str, data: bytes = b"meow", **other: str) -> Request:
    return request([data[:2], data[2:]], path="/cat.jpg", kind="image/jpeg", headers={name: value, **other})


def part(name: str, value: str, data: bytes = b"meow") -> bytes:
    return OPENING[:-2] + f"{name}: {value}\r\n\r\n".encode() + data


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_a_right_checksum_is_accepted(name: str, value: str) -> None:
    assert files(raw(name, value)) == files(request([part(name, value) + CLOSING])) == [("cat.jpg", "image/jpeg", b"meow")]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_checksum_is_refused_at_the_end(name: str, value: str) -> None:
    for asked in (raw(name, value), request([part(name, value) + CLOSING])):
        error = refusal(asked)

        assert (error.status, error.code) == (400, "digest_mismatch")
        assert error.message.lower().startswith(name.lower())


def test_the_wrong_ones_are_many() -> None:
    assert len(WRONG) == 14


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_checksum_is_refused_before_anything_is_read(name: str, value: str) -> None:
    def never() -> Iterator[bytes]:
        pytest.fail("read")
        yield b""

    with pytest.raises(PipelineError) as found:
        next(intake.read(request(never(), path="/cat.jpg", headers={name: value})))

    assert found.value.code == "bad_digest"
    assert found.value.message.lower().startswith(name.lower())
    assert refusal(request([part(name, value) + CLOSING])).code == "bad_digest"


def test_a_repeated_header_of_a_part_is_compared_each_time() -> None:
    def double(first: str, second: str) -> bytes:
        return part(f"x-goog-hash: {first}\r\nx-goog-hash", second) + CLOSING

    right, wrong = f"crc32c={CRC32C}", "md5=AAAAAAAAAAAAAAAAAAAAAA=="
    assert len(files(request([double(right, f"md5={MD5}")]))) == 1
    assert refusal(request([double(right, wrong)])).code == "digest_mismatch"
    assert refusal(request([double(wrong, right)])).code == "digest_mismatch"


def test_a_checksum_is_of_the_bytes_as_they_are_sent() -> None:
    packed = "MTw2X/a3mU70uklwmmlJ+A=="  # printf meow | gzip -n | openssl dgst -md5 -binary | base64
    gzipped = {"content-encoding": "gzip"}

    assert files(raw("content-md5", packed, GZIPPED, **gzipped))[0][2] == b"meow"
    assert refusal(raw("content-md5", MD5, GZIPPED, **gzipped)).code == "digest_mismatch"


# ---- checksums of whole forms

FORM = OPENING + b"meow" + CLOSING
FORM_MD5 = "fWo9DDlUZDu6kk8oqyl/qA=="


def test_the_checksum_of_a_form_is_of_its_body() -> None:
    right, wrong = {"content-md5": FORM_MD5}, {"content-md5": MD5}

    assert files(request([FORM[:50], FORM[50:]], headers=right)) == [("cat.jpg", "image/jpeg", b"meow")]
    assert refusal(request([FORM[:50], FORM[50:]], headers=wrong)).code == "digest_mismatch"


def test_a_file_does_not_end_before_the_checksum_of_its_form_is_compared() -> None:
    field = b'--7MA4YWxk\r\nContent-Disposition: form-data; name="n"\r\n\r\nv\r\n'
    empty = b'--7MA4YWxk\r\nContent-Disposition: form-data; name="n"; filename=""\r\n\r\n\r\n'
    body = OPENING + b"meow\r\n" + field + empty + b"--7MA4YWxk--\r\n"
    incoming = next(intake.read(request([body], headers={"content-md5": MD5})))

    assert next(incoming.blocks) == b"meow"
    with pytest.raises(PipelineError) as found:
        list(incoming.blocks)
    assert found.value.code == "digest_mismatch"


def test_a_checksum_of_a_form_with_two_files_stores_neither() -> None:
    incoming = next(intake.read(request([OPENING + b"meow\r\n" + OPENING + b"purr" + CLOSING], headers={"content-md5": MD5})))

    with pytest.raises(PipelineError, match="for one file only"):
        list(incoming.blocks)


def test_a_checksum_of_an_object_does_not_belong_to_a_form() -> None:
    error = refusal(request([FORM], headers={"x-goog-hash": f"md5={MD5}"}))

    assert error.code == "bad_digest"
    assert "part" in error.message


@pytest.mark.parametrize("trailer", ["Content-Digest", "x-other, repr-digest"])
def test_a_checksum_that_is_announced_as_a_trailer_is_refused(trailer: str) -> None:
    assert refusal(raw("trailer", trailer)).code == "bad_digest"
    assert len(files(raw("trailer", "Server-Timing"))) == 1


def test_many_checksums_of_one_algorithm_are_computed_once() -> None:
    right, wrong = hashlib.md5(b"meow").digest(), hashlib.md5(b"other").digest()
    begun: list[int] = []

    def start() -> Hash:
        begun.append(1)
        return hashlib.md5()

    counted = Algorithm(start, 16)
    many = [Expected(f"Digest {number}", counted, right) for number in range(1000)]

    assert list(compared(iter([b"me", b"ow"]), many)) == [b"me", b"ow"]
    assert len(begun) == 1
    with pytest.raises(BadRequest, match="Digest 1000 is"):
        list(compared(iter([b"meow"]), [*many, Expected("Digest 1000", counted, wrong)]))
