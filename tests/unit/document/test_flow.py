"""The text of Word, PowerPoint and OpenDocument files: order, tables, notes, tracked changes, white space."""

from collections.abc import Mapping

import pytest

from shared.errors import BadFile
from shared.testing import run_processor
from tests.unit.document.offices import META, OPEN, SLIDE, WORD, docx, open_document, paragraph, zipped

RUN = "<w:r><w:t>{}</w:t></w:r>"
OFFICE_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
STRICT_TYPE = "http://purl.oclc.org/ooxml/officeDocument/relationships/"


def relations(*targets: tuple[str, str, str], kind: str = OFFICE_TYPE) -> str:
    found = "".join(f'<Relationship Id="{name}" Type="{kind}{what}" Target="{target}"/>' for name, what, target in targets)
    return f"<Relationships>{found}</Relationships>"


def text(data: bytes) -> str:
    return run_processor("document.text", data).outputs[0].data.decode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<w:p><w:pPr><w:tabs><w:tab w:pos='1'/></w:tabs></w:pPr>" + RUN.format("a") + "</w:p>", "a"),
        ("<w:p>\n  <w:r>\n  <w:t>a</w:t>\n  </w:r>\n</w:p>", "a"),
        ("<w:p><w:moveFrom>" + RUN.format("old") + "</w:moveFrom><w:ins>" + RUN.format("new") + "</w:ins></w:p>", "new"),
        (
            "<w:p><mc:AlternateContent xmlns:mc='m'><mc:Choice>" + RUN.format("box") + "</mc:Choice><mc:Fallback>"
            + RUN.format("box") + "</mc:Fallback></mc:AlternateContent></w:p>",
            "box",
        ),
        ("<w:tr><w:tc>" + paragraph("a") + paragraph("b") + "</w:tc><w:tc/><w:tc>" + paragraph("c") + "</w:tc></w:tr>", "a b\t\tc"),
        (
            "<w:tbl><w:tr><w:tc><w:tbl><w:tr><w:tc>" + paragraph("in") + "</w:tc></w:tr></w:tbl>" + paragraph("out")
            + "</w:tc></w:tr></w:tbl>",
            "in out",
        ),
        (paragraph("a") + "<w:p/>" * 5 + paragraph("b"), "a\n\nb"),
        ("<w:p><w:r><w:t>e</w:t><w:noBreakHyphen/><w:t>mail</w:t></w:r></w:p>", "e-mail"),
        (paragraph("שלום") + paragraph("😀 ﬁ"), "שלום\n😀 ﬁ"),
    ],
    ids=["positions", "spaces", "moved", "fallback", "cells", "inner table", "empty lines", "hyphen", "letters"],
)  # fmt: skip
def test_a_word_document_reads_as_it_is_shown(body: str, expected: str) -> None:
    assert text(docx(body)) == expected


@pytest.mark.parametrize("kind", [OFFICE_TYPE, STRICT_TYPE], ids=["transitional", "strict"])
def test_headers_come_first_and_notes_and_footers_last(kind: str) -> None:
    parts = {
        "_rels/.rels": relations(("a", "officeDocument", "/word/document2.xml"), kind=kind),
        "word/document2.xml": WORD.format(paragraph("body")),
        "word/_rels/document2.xml.rels": relations(
            ("1", "footer", "footer1.xml"), ("2", "footnotes", "notes.xml"), ("3", "header", "header1.xml"),
            ("4", "comments", "comments.xml"), kind=kind,
        ),
        "word/footer1.xml": WORD.format(paragraph("footer")),
        "word/notes.xml": WORD.format(paragraph("note")),
        "word/header1.xml": WORD.format(paragraph("header")),
        "word/comments.xml": WORD.format(paragraph("comment")),
    }  # fmt: skip

    assert text(zipped(parts)) == "header\n\nbody\n\nnote\n\nfooter"


def test_a_slide_has_its_speaker_notes_and_no_numbers() -> None:
    number = '<a:fld type="slidenum"><a:t>7</a:t></a:fld>'
    slide = SLIDE.format("title").replace("<a:r>", number + "<a:r>")
    presentation = (
        '<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst><p:sldId r:id="s" id="256"/></p:sldIdLst></p:presentation>'
    )
    parts = {
        "ppt/presentation.xml": presentation,
        "ppt/_rels/presentation.xml.rels": relations(("s", "slide", "slides/slide1.xml"), ("256", "slide", "wrong.xml")),
        "ppt/slides/slide1.xml": slide,
        "ppt/slides/_rels/slide1.xml.rels": relations(("n", "notesSlide", "../notesSlides/notesSlide1.xml")),
        "ppt/notesSlides/notesSlide1.xml": SLIDE.format("say this"),
    }

    assert text(zipped(parts)) == "title\n\nsay this"


STYLES = (
    "<o:styles xmlns:o='o' xmlns:style='s' xmlns:text='t'><style:header> <text:p>top</text:p></style:header>"
    "<style:footer><text:p>foot</text:p></style:footer><text:p>no</text:p></o:styles>"
)


def odt(body: str, more: Mapping[str, str] | None = None) -> bytes:
    kind = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": OPEN.format(body), "meta.xml": META}
    return zipped({**kind, **(more or {})})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<number:text xmlns:number='n'>/</number:text><text:p>a</text:p>", "a"),
        ("<text:tracked-changes><text:p>old</text:p></text:tracked-changes><text:p>new</text:p>", "new"),
        (
            "<text:p>word<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>the note</text:p>"
            "</text:note-body></text:note>s</text:p><text:p>next</text:p>",
            "words\nnext\n\nthe note",
        ),
        ("<text:p>a<o:annotation><text:p>remark</text:p></o:annotation>b</text:p>", "ab"),
        (
            "<text:p><draw:frame><svg:title xmlns:svg='urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0'>alt</svg:title>"
            "</draw:frame><text:title>Name</text:title></text:p>",
            "Name",
        ),
        ("<text:p>a<text:line-break/>b<text:s text:c='x'/>c</text:p>", "a\nb c"),
    ],
    ids=["styles", "changes", "note", "remark", "titles", "marks"],
)
def test_an_open_document_reads_as_it_is_shown(body: str, expected: str) -> None:
    assert text(odt(body)) == expected


def test_headers_of_an_open_document_come_first() -> None:
    assert text(odt("<text:p>body</text:p>", {"styles.xml": STYLES})) == "top\n\nbody\n\nfoot"


def test_repeated_cells_and_rows_are_written_out() -> None:
    row = (
        '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2"/>'
        '<table:table-cell table:number-columns-repeated="2"><text:p>5</text:p></table:table-cell>'
        '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
    )
    sheets = (
        f'<table:table>{row}</table:table><table:table><table:table-row table:number-rows-repeated="1048576"/></table:table>'
    )

    assert text(open_document("spreadsheet", sheets)) == "\t\t5\t5\n\t\t5\t5\f"


def test_cells_that_repeat_without_end_are_refused() -> None:
    cell = f'<table:table-cell table:number-columns-repeated="16384"><text:p>{"x" * 1000}</text:p></table:table-cell>'
    with pytest.raises(BadFile) as refused:
        text(open_document("spreadsheet", f"<table:table><table:table-row>{cell}</table:table-row></table:table>"))

    assert refused.value.code == "unpacks_too_large"


def test_the_author_is_the_first_one_and_keywords_are_listed() -> None:
    meta = (
        '<o:m xmlns:o="o" xmlns:dc="d" xmlns:meta="m"><dc:creator>Last</dc:creator>'
        "<meta:initial-creator>First</meta:initial-creator>"
        "<meta:keyword>a</meta:keyword><meta:keyword>b</meta:keyword></o:m>"
    )
    facts = run_processor("document.facts", odt("", {"meta.xml": meta})).facts

    assert facts == {"format": "odt", "author": "First", "keywords": "a, b", "macros": False}
