"""The file's name in a part of a form, as clients write it."""

import pytest

from shared.errors import BadRequest
from tests.unit.test_intake import CLOSING, FORM, files, refusal, request


def part(disposition: bytes) -> bytes:
    return b"--7MA4YWxk\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\nmeow"


def name(disposition: bytes) -> str:
    ((found, _, data),) = files(request([part(disposition) + CLOSING]))
    assert data == b"meow"
    return found


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (rb'name="file"; filename="photo.txt"', "photo.txt"),
        (rb"name=file; filename=photo.txt", "photo.txt"),
        (rb"name=file; filename=my photo.txt ; x=y", "my photo.txt"),
        (rb'filename="a; b=c.txt"; name="file"', "a; b=c.txt"),
        (rb'name="file" ; FileName = "photo.txt"', "photo.txt"),
        (rb'name="file";filename="photo.txt";filename="other.txt"', "photo.txt"),
    ],
)
def test_a_name_is_read_with_and_without_quotes(disposition: bytes, expected: str) -> None:
    assert name(disposition) == expected


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (rb'name="f"; filename="C:\Users\me\photo.txt"', r"C:\Users\me\photo.txt"),
        (rb'name="f"; filename="C:\\Users\\me\\photo.txt"', r"C:\Users\me\photo.txt"),
        (rb'name="f"; filename="\\server\share\photo.txt"', r"\server\share\photo.txt"),
        (rb'name="f"; filename="\\\\server\\share\\photo.txt"', r"\\server\share\photo.txt"),
        (rb"name=f; filename=C:\Users\me\photo.txt", r"C:\Users\me\photo.txt"),
        (rb'name="f"; filename="C:\new\table.txt"', r"C:\new\table.txt"),
    ],
    ids=["path", "escaped path", "share", "escaped share", "unquoted", "like escapes"],
)
def test_a_windows_path_keeps_its_backslashes(disposition: bytes, expected: str) -> None:
    assert name(disposition) == expected


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (rb'name="f"; filename="say \"hi\".txt"', 'say "hi".txt'),
        (rb'name="f"; filename="say %22hi%22.txt"', 'say "hi".txt'),
        (rb'name="f"; filename="100%25%20%41.txt"', "100%25%20%41.txt"),
        (rb'name="f"; filename="a%0D%0ab.txt"', "a\r\nb.txt"),
        (rb'name="f"; filename="\";name=x"', '";name=x'),
    ],
    ids=["curl", "browser", "percent signs", "line break", "quote and parameter"],
)
def test_quotes_in_a_name_are_read_as_clients_escape_them(disposition: bytes, expected: str) -> None:
    assert name(disposition) == expected


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (b"name=f; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        (b"name=f; filename*=\"UTF-8''na%C3%AFve.txt\"", "naïve.txt"),
        (b"name=f; filename=\"naive.txt\"; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        (b"name=f; filename*=\"utf-8'en'na%c3%afve.txt\"; filename=naive.txt", "naïve.txt"),
        (b"name=f; filename*=iso-8859-1''na%EFve.txt", "naïve.txt"),
        (b"name=f; filename*=windows-1252''5%80.txt", "5€.txt"),
        (b"name=f; filename*=UTF-8''na%FFve.txt", "na\ufffdve.txt"),
        (b"name=f; filename*=UTF-8''a%22b%5C.txt", 'a"b\\.txt'),
        (b"name=f; filename*=KOI8-R''%C1.txt; filename=a.txt", "a.txt"),
        (b'name=f; filename*0="na"; filename*1="ive.txt"', "naive.txt"),
        (b"name=f; filename*1*=%C3%AFve; filename*2=.txt; filename*0*=UTF-8''na", "naïve.txt"),
    ],
)
def test_an_extended_name_wins(disposition: bytes, expected: str) -> None:
    assert name(disposition) == expected


def test_an_extended_name_that_cannot_be_read_is_refused() -> None:
    for value in (b"na%C3%AFve.txt", b"KOI8-R''%C1.txt"):
        error = refusal(request([part(b"name=f; filename*=" + value) + CLOSING]))

        assert (type(error), error.code) == (BadRequest, "bad_name")


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        ('name="f"; filename="Käthe €.txt"'.encode(), "Käthe €.txt"),
        ('name="f"; filename="Käthe.txt"'.encode("latin-1"), "Käthe.txt"),
        ('name="f"; filename="Käthe €.txt"'.encode("cp1252"), "Käthe €.txt"),
        ("name=f; filename=Käthe.txt".encode("latin-1"), "Käthe.txt"),
        (b'name="f"; filename="\x81.txt"', "\ufffd.txt"),
    ],
    ids=["utf-8", "latin-1", "windows-1252", "unquoted", "no character"],
)
def test_a_name_in_another_encoding_than_utf_8_is_latin_1(disposition: bytes, expected: str) -> None:
    assert name(disposition) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"=?UTF-8?B?w6kudHh0?=", "é.txt"),
        (b"=?utf-8?q?na=C3=AFve_1.txt?=", "naïve 1.txt"),
        (b"=?ISO-8859-1?Q?na=EF?= =?UTF-8?B?dmUudHh0?=", "naïve.txt"),
        (b"a =?UTF-8?B?w6kudHh0?=", "a =?UTF-8?B?w6kudHh0?="),
        (b"=?rot13?q?abc?=", "=?rot13?q?abc?="),
    ],
)
def test_a_name_of_encoded_words_is_decoded(value: bytes, expected: str) -> None:
    assert name(b'name="f"; filename="' + value + b'"') == expected


def test_a_malformed_encoded_word_is_refused() -> None:
    assert refusal(request([part(b'name="f"; filename="=?UTF-8?B?w6k?="') + CLOSING])).code == "bad_name"


@pytest.mark.parametrize("size", [1, 5])
def test_a_name_is_read_however_the_body_is_cut(size: int) -> None:
    body = part('name="f"; filename="Käthe.txt"'.encode("latin-1")) + CLOSING

    assert files(request([body[at : at + size] for at in range(0, len(body), size)], kind=FORM))[0][0] == "Käthe.txt"
