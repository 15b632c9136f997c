"""Office, OpenDocument, HTML, mail and plain text against values written by hand, and hostile ones."""

import io
import zipfile
from typing import Any

import pytest

from shared.errors import BadFile
from shared.testing import run_processor
from tests.unit.document.offices import WORD, cell, docx, open_document, paragraph, pptx, xlsx, zipped

TABLE = "<w:tbl><w:tr><w:tc>{a}</w:tc><w:tc>{b}</w:tc></w:tr></w:tbl>".format(a=paragraph("left"), b=paragraph("right"))
MAIL = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@b.c>\nTo: x@y.z\nSubject: Hi\n there\nDate: Wed, 31 Jan 2024 12:00:00 +0100\n"
    b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nbody\n--b\n'
    b'Content-Type: application/pdf\nContent-Disposition: attachment; filename="../../etc/passwd"\n\n12345\n--b--\n'
)
PAGE = b'<html lang="de"><head><title>A &lt; B</title><meta name="description" content="D"></head><body><a href=x>1</a></body>'
CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def text(data: bytes, **options: Any) -> str:
    return run_processor("document.text", data, **options).outputs[0].data.decode()


def reason(data: bytes, processor: str = "document.text", **options: Any) -> str:
    with pytest.raises(BadFile) as error:
        run_processor(processor, data, **options)
    return error.value.code


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (
            docx(""),
            {"format": "docx", "title": "Plan B", "author": "Ada", "created_at": "2024-01-31T12:00:00Z", "macros": False},
        ),
        (docx("", {"word/vbaProject.bin": b"x"}), {"macros": True}),
        (pptx("a", "b"), {"format": "pptx", "pages": 2, "macros": False}),
        (xlsx(("One", ""), ("Two", "")), {"format": "xlsx", "pages": 2, "macros": False}),
        (open_document("text", ""), {"format": "odt", "title": "Offen", "author": "Bo", "created_at": "2024-01-31T12:00:00.5"}),
        (open_document("presentation", '<draw:page draw:name="1"/>'), {"format": "odp", "pages": 1}),
    ],
    ids=["docx", "docm", "pptx", "xlsx", "odt", "odp"],
)
def test_a_document_states_its_facts(data: bytes, facts: dict[str, Any]) -> None:
    found = run_processor("document.facts", data).facts

    assert {name: found[name] for name in facts} == facts
    assert "modified_at" not in found  # "yesterday" is no date


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (docx(paragraph("one") + TABLE + paragraph("two")), "one\nleft\tright\ntwo"),
        (docx("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"), "a\tb\nc"),
        (docx("<w:p><w:r><w:instrText>PAGE</w:instrText><w:delText>old</w:delText><w:t>new</w:t></w:r></w:p>"), "new"),
        (pptx("first", "second"), "first\fsecond"),
        (xlsx(("A", f"<row>{cell('A1', 'x')}{cell('B1', 'y')}</row>"), ("B", "")), "x\ty\f"),
        (open_document("text", '<text:h>Top</text:h><text:p>a<text:s text:c="2"/>b<text:tab/>c</text:p>'), "Top\na  b\tc"),
        (
            open_document("presentation", "<draw:page><text:p>1</text:p></draw:page><draw:page><text:p>2</text:p></draw:page>"),
            "1\f2",
        ),
        ("ä€\r\nb".encode(), "ä€\nb"),
        ("ä€ und Öl, groß und süß".encode("cp1252"), "ä€ und Öl, groß und süß"),
        ("\ufeffmark".encode("utf-16-le"), "mark"),
        (b"<!DOCTYPE html><title>T</title><script>no()</script><p>One<p>Two &amp; three<style>x</style>", "One\nTwo & three"),
        (b"From: a@b.c\r\nSubject: S\r\n\r\nHello\r\nthere\r\n", "Hello\nthere\n"),
        (b"From: a@b.c\nDate: x\nContent-Type: text/html\n\n<p>Hi <b>you</b>", "Hi you"),
    ],
    ids=["docx", "breaks", "unseen", "pptx", "xlsx", "odt", "odp", "utf-8", "cp1252", "utf-16", "html", "mail", "html mail"],
)
def test_the_text_of_each_kind(data: bytes, expected: str) -> None:
    assert text(data) == expected


def test_a_mail_states_its_attachments_by_name_only() -> None:
    assert run_processor("document.facts", MAIL).facts == {
        "format": "mail",
        "title": "Hi there",
        "author": "Jürgen <j@b.c>",
        "to": "x@y.z",
        "created_at": "2024-01-31T12:00:00+01:00",
        "attachments": [{"name": "../../etc/passwd", "content_type": "application/pdf", "size": 5}],
        "attachment_count": 1,
    }


def test_html_states_its_facts() -> None:
    assert run_processor("document.facts", PAGE).facts == {
        "format": "html",
        "language": "de",
        "title": "A < B",
        "description": "D",
        "links": 1,
    }


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><w:document xmlns:w="w">&b;</w:document>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd"><w:document xmlns:w="w"/>'


ELSEWHERE = '<Relationships><Relationship Id="a" Type="x/officeDocument" Target="{}"/></Relationships>'


def overlapping() -> bytes:
    """The directory says that the document is where another part is, which is twice as long."""
    data = bytearray(zipped({"word/other.xml": "x" * 100, "word/document.xml": WORD.format("")}))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.getinfo("word/document.xml").header_offset
    at = data.rindex(b"PK\x01\x02") + 42
    assert data[at : at + 4] == start.to_bytes(4, "little")
    data[at : at + 4] = bytes(4)
    return bytes(data)


def damaged() -> bytes:
    whole = bytearray(docx(paragraph("x" * 1000)))
    whole[60:70] = b"\xff" * 10
    return bytes(whole)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (zipped({"word/document.xml": BOMB}), "corrupt"),
        (zipped({"word/document.xml": OUTSIDE}), "corrupt"),
        (zipped({"word/document.xml": "<w:document>"}), "corrupt"),
        (zipped({"word/document.xml": '<?xml version="1.0" encoding="shift_jis"?><w:document xmlns:w="w"/>'}), "corrupt"),
        (zipped({"word/document.xml": '<?xml version="1.0" encoding="none"?><w:document xmlns:w="w"/>'}), "corrupt"),
        (zipped({"word/document.xml": ""}), "corrupt"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "corrupt"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.graphics"}), "unsupported"),
        (
            zipped({"_rels/.rels": ELSEWHERE.format("visio/document.xml"), "visio/document.xml": "<VisioDocument/>"}),
            "unsupported",
        ),
        (zipped({"_rels/.rels": ELSEWHERE.format("../../../etc/passwd")}), "unsupported"),
        (zipped({"word/document.xml": WORD.format("")}, zipfile.ZIP_BZIP2), "corrupt"),
        (overlapping(), "corrupt"),
        (zipped({"readme.txt": "x"}), "unsupported"),
        (damaged(), "corrupt"),
        (docx("x")[:300], "corrupt"),
        (open_document("text", "", "<encryption-data/>"), "password"),
        (CFB + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "password"),
        (CFB + bytes(600), "unsupported"),
        (xlsx(("One", ""))[:-100], "corrupt"),
        (b"{\\rtf1}", "unsupported"),
        (b"\x7fELF\0\0", "unsupported"),
        (b"\0\1\2\3", "unsupported"),
    ],
    ids=[
        "entities",
        "outside",
        "open",
        "shift_jis",
        "no encoding",
        "empty",
        "no content",
        "drawing",
        "visio",
        "path",
        "bzip2",
        "overlapping",
        "zip",
        "damaged",
        "cut",
        "locked odt",
        "locked docx",
        "doc",
        "cut xlsx",
        "rtf",
        "elf",
        "binary",
    ],
)
def test_a_bad_document_is_refused_by_its_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_slides_and_sheets_count_as_pages() -> None:
    assert reason(pptx("a", "b", "c"), max_pages=2) == "too_many_pages"
    assert reason(xlsx(("a", ""), ("b", "")), max_pages=1) == "too_many_pages"


def test_only_a_pdf_has_pictures_of_its_pages() -> None:
    assert reason(docx(""), "document.pages") == "unsupported"


def test_a_document_that_unpacks_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.processors.documents.package.MAX_BYTES", 10_000)

    assert reason(docx(paragraph("x" * 20_000))) == "unpacks_too_large"


def test_a_tag_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.processors.documents.package.MAX_TAG_BYTES", 100_000)

    assert reason(docx(f'<w:p a="{"x" * 300_000}"/>')) == "unpacks_too_large"
    assert text(docx(f"<w:p/>{' ' * 300_000}" + paragraph("x" * 300_000))) == "x" * 300_000


def test_a_document_with_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.processors.documents.package.MAX_PARTS", 1)

    assert reason(docx("")) == "unpacks_too_large"


def test_a_part_that_claims_another_size_is_refused() -> None:
    """The lie is in the central directory, which readers trust."""
    data = io.BytesIO(docx(paragraph("x" * 1000)))
    with zipfile.ZipFile(data, "a") as archive:
        archive.getinfo("word/document.xml").file_size = 10
        archive.writestr("new.txt", "x")  # writes the directory anew

    assert reason(data.getvalue()) == "corrupt"
