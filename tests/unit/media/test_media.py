"""Media types are checked by one rule; a file's bytes decide its type, and its declared type where they cannot."""

import gzip
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


# ---- syntax


@pytest.mark.parametrize(
    "content_type",
    [
        "image/jpeg",
        "IMAGE/JPEG",
        "x-world/x-vrml",
        "application/vnd.own+json",
        "application/a!b#c$d&e^f_g",
        "text/plain;charset=utf-8",
        'text/plain; charset="utf-8"',
        'text/plain \t;\t title="a; \\"b\\" c" ; x=y',
        "image/jpeg;",
        "image/jpeg; ; a=b",
        "a/" + "b" * 127,
        "text/plain; a=" + "b" * 241,
    ],
)
def test_a_media_type_is_valid(content_type: str) -> None:
    assert media.is_valid(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        *("", "jpeg", "image/", "/jpeg", "image/jpeg/x", "image jpeg", "a b/c", "image /jpeg", "image/*", "*/*", " image/jpeg"),
        *("image/.jpeg", "-x/y", "image/j%eg", "image/jp\u00e9g", "text/\x01x", "image/jpeg\n", "image/jpeg;\r\n a=b"),
        *("image/jpeg; a", "image/jpeg; a=", "image/jpeg; =b", "image/jpeg; a = b", "image/jpeg; a=b c", 'image/jpeg; a="b'),
        *('image/jpeg; a="\u00e9"', 'image/jpeg; a="\n"', 'image/jpeg; a="b"c', "a/" + "b" * 128, "text/plain; a=" + "b" * 242),
    ],
)
def test_a_malformed_media_type_is_not_valid(content_type: str) -> None:
    assert not media.is_valid(content_type)


def test_a_hostile_media_type_is_refused_in_linear_time() -> None:
    assert not media.is_valid("a/b" + ";   " * 60 + "!")


@pytest.mark.parametrize("text", ["image/jpeg", "image/*", "*/*", "*/xml", "x-world/*", "application/vnd.own+json"])
def test_a_pattern_is_a_media_type_or_a_range(text: str) -> None:
    assert media.is_pattern(text)


@pytest.mark.parametrize("text", ["", "*", "image", "image/**", "image/j*", "Image/*", "image/*; q=1", "image/jpeg\n"])
def test_a_malformed_pattern_is_refused(text: str) -> None:
    assert not media.is_pattern(text)


# ---- content


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "tiff", "bmp", "avif"])
def test_a_picture_is_detected_by_its_bytes(kind: str) -> None:
    assert media.sniff(picture(kind)) == f"image/{kind}"


@pytest.mark.parametrize("text", [b"plain\ttext\r\n", "Käthe\n".encode(), b"\x1b[1mbold\x1b[0m", b"{x}", b"<3 <svg/>"])
def test_text_is_detected_by_the_absence_of_controls(text: bytes) -> None:
    assert media.sniff(text) == "text/plain"


@pytest.mark.parametrize(
    "head",
    [
        b"<svg/>",
        b"<svg>",
        b"\n<svg width='1'>",
        b"<s:svg\nxmlns:s='http://www.w3.org/2000/svg'>",
        b"<?xml version='1.0'?>\n<!-- > --><?css?><svg>",
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'svg11.dtd' [<!ENTITY a 'b'>]>",
        b"\xef\xbb\xbf<svg>",
        "<svg>Käse".encode("latin-1"),
        "<?xml version='1.0'?><svg>".encode("utf-16"),
        "<?xml version='1.0'?><svg>".encode("utf-16-be"),
        gzip.compress(b"<svg>", mtime=0),
        gzip.compress(b"<svg>" + bytes(100_000), mtime=0)[:60],
    ],
)
def test_a_drawing_is_detected_behind_its_declarations(head: bytes) -> None:
    assert media.sniff(head) == "image/svg+xml"
    assert media.decide_type("text/plain", head) == "image/svg+xml"


@pytest.mark.parametrize(
    "head",
    [
        b"<svgx>",
        b"<?xml version='1.0'?><rss><svg>",
        b"<!-- <svg>",
        b"<!DOCTYPE html><svg>",
        b"svg",
        gzip.compress(b"svg", mtime=0),
    ],
)
def test_other_markup_is_no_drawing(head: bytes) -> None:
    assert media.sniff(head) != "image/svg+xml"


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"heic\0\0\0\0mif1heic", "image/heic"),
        (b"mif1\0\0\0\0mif1heic", "image/heic"),
        (b"heix\0\0\0\0mif1heix", "image/heic"),
        (b"mif1\0\0\0\0mif1miaf", "image/heif"),
        (b"avif\0\0\0\0mif1miaf", "image/avif"),
        (b"isom\0\0\0\0isomiso2", "video/mp4"),
    ],
)
def test_heic_and_heif_are_detected(brands: bytes, kind: str) -> None:
    assert media.sniff(b"\0\0\0\x18ftyp" + brands + bytes(40)) == kind


@pytest.mark.parametrize("data", [b"", b"a\0b", b"\xff\xfeab", b"\x01", "é".encode("latin-1") + b" and more text"])
def test_unknown_bytes_are_a_stream_of_bytes(data: bytes) -> None:
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
def test_any_bytes_have_a_type(signature: bytes, rest: bytes) -> None:
    assert "/" in media.sniff(signature + rest)


@pytest.mark.parametrize("declared", ["text/csv", "application/json", "image/svg+xml", "text/html"])
def test_the_declared_type_decides_among_kinds_of_text(declared: str) -> None:
    assert media.decide_type(declared, b"a,b\n1,2\n") == declared


@pytest.mark.parametrize("declared", ["image/png", "application/pdf", "application/octet-stream", "video/mp4"])
def test_text_sent_as_something_else_is_text(declared: str) -> None:
    assert media.decide_type(declared, b"hello\n") == "text/plain"


@pytest.mark.parametrize(
    "declared", ["text/plain", "image/jpeg", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_picture_sent_as_something_else_is_that_picture(declared: str) -> None:
    assert media.decide_type(declared, picture("png")) == "image/png"


@pytest.mark.parametrize("declared", ["image/jpeg", "text/plain", "application/pdf", "audio/mpeg"])
def test_a_type_with_a_signature_is_not_believed_without_it(declared: str) -> None:
    assert media.decide_type(declared, b"\0\1\2\3") == "application/octet-stream"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig", "shift_jis"])
def test_text_in_an_old_encoding_has_its_declared_type(encoding: str) -> None:
    text = ("Käse;Öl\r\n" if encoding != "shift_jis" else "テスト;表\r\n").encode(encoding)

    assert media.decide_type("text/csv", text) == "text/csv"
    assert media.decide_type("image/jpeg", text) != "image/jpeg"


@pytest.mark.parametrize("data", [b"\0\1\2\3", "a\0b\1".encode("utf-16"), b"\xff\xfe\0"])
def test_bytes_that_no_text_has_are_never_text(data: bytes) -> None:
    assert media.decide_type("text/csv", data) == "application/octet-stream"


def test_a_type_without_a_known_signature_is_believed() -> None:
    assert media.decide_type("application/x-own-format", b"\0\1\2\3") == "application/x-own-format"


@pytest.mark.parametrize(
    "declared",
    ["", "image", "undefined", "image/jpeg, image/jpeg", "image/j peg", "im\xe4ge/png", "a/" + "b" * 128, "*/*", "/"],
)
def test_a_declared_type_that_is_no_media_type_says_nothing(declared: str) -> None:
    assert media.essence(declared) == "application/octet-stream"
    assert media.decide_type(declared, picture("png")) == "image/png"
    assert media.decide_type(declared, b"hello\n") == "text/plain"


@pytest.mark.parametrize("declared", ["Image/JPEG; q=1", "image/jpeg;", "image/jpeg; a"])
def test_parameters_do_not_matter(declared: str) -> None:
    assert media.essence(declared) == "image/jpeg"
