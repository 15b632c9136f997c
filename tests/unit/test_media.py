"""Bytes decide what a file is; a sender's word counts where they cannot."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared import media

SIGNATURES = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF89a",
    b"PK\x03\x04",
    b"%PDF-",
    b"\0\0\0\x18ftyp",
    b"ID3",
    b"II*\0",
    b"\x1aE\xdf\xa3",
]


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "tiff", "bmp", "avif"])
def test_a_picture_is_known_by_its_bytes(kind: str) -> None:
    assert media.sniff(picture(kind)) == f"image/{kind}"


@pytest.mark.parametrize("text", [b"plain\ttext\r\n", "Käthe\n".encode(), b"\x1b[1mbold\x1b[0m", b"{}", b"<svg/>"])
def test_text_is_known_by_having_nothing_else_in_it(text: bytes) -> None:
    assert media.sniff(text) == "text/plain"


@pytest.mark.parametrize("data", [b"", b"a\0b", b"\xff\xfeab", b"\x01", "é".encode("latin-1") + b" and more text"])
def test_what_nobody_knows_is_a_stream_of_bytes(data: bytes) -> None:
    assert media.sniff(data) == "application/octet-stream"


@pytest.mark.parametrize(
    "text", [b"BMW builds cars", b"MZ is Mozambique", b"ID3 is a tag", b"GIF89a is a format", b"OggS!", b"8BPS"]
)
def test_text_that_begins_like_something_else_is_text(text: bytes) -> None:
    assert media.sniff(text) == "text/plain"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.4\n1 0 obj\n", "application/pdf"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "application/postscript"),
        (b"{\\rtf1 }", "application/rtf"),
    ],
)
def test_a_document_made_of_text_is_that_document(head: bytes, kind: str) -> None:
    assert media.sniff(head) == kind


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_cut_in_two_by_the_end_of_the_head_is_still_text(cut: int) -> None:
    whole = ("a" * 8188 + "😀").encode()

    assert media.sniff(whole[: 8188 + cut]) == "text/plain"


@given(st.sampled_from(SIGNATURES), st.binary(max_size=64))
def test_no_bytes_are_beyond_it(signature: bytes, rest: bytes) -> None:
    assert "/" in media.sniff(signature + rest)


@pytest.mark.parametrize("declared", ["text/csv", "application/json", "image/svg+xml", "text/html"])
def test_kinds_of_text_are_told_apart_by_the_sender(declared: str) -> None:
    assert media.settle(declared, b"a,b\n1,2\n") == declared


@pytest.mark.parametrize("declared", ["image/png", "application/pdf", "application/octet-stream", "video/mp4"])
def test_text_sent_as_something_else_is_text(declared: str) -> None:
    assert media.settle(declared, b"hello\n") == "text/plain"


@pytest.mark.parametrize(
    "declared", ["text/plain", "image/jpeg", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_picture_sent_as_something_else_is_that_picture(declared: str) -> None:
    assert media.settle(declared, picture("png")) == "image/png"


@pytest.mark.parametrize("declared", ["image/jpeg", "text/plain", "application/pdf", "audio/mpeg"])
def test_a_claim_that_the_bytes_would_show_is_not_believed_without_them(declared: str) -> None:
    assert media.settle(declared, b"\0\1\2\3") == "application/octet-stream"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig", "shift_jis"])
def test_text_in_an_old_encoding_is_what_its_sender_says(encoding: str) -> None:
    text = ("Käse;Öl\r\n" if encoding != "shift_jis" else "テスト;表\r\n").encode(encoding)

    assert media.settle("text/csv", text) == "text/csv"
    assert media.settle("image/jpeg", text) != "image/jpeg"


@pytest.mark.parametrize("data", [b"\0\1\2\3", "a\0b\1".encode("utf-16"), b"\xff\xfe\0"])
def test_bytes_that_no_text_has_are_not_text_whoever_says_so(data: bytes) -> None:
    assert media.settle("text/csv", data) == "application/octet-stream"


def test_a_kind_we_have_no_signature_of_is_believed() -> None:
    assert media.settle("application/x-own-format", b"\0\1\2\3") == "application/x-own-format"
