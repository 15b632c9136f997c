"""PDF: facts, text and pages against values written by hand."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from shared.errors import BadConfiguration, BadFile
from shared.testing import run_processor
from tests.unit.document import pdfs

INFO = "/Title (Annual  report) /Author (J. Doe) /CreationDate (D:20240131120000+01'00') /ModDate (D:2024) /Producer (us)"


def refused(processor: str, data: bytes, **options: Any) -> str:
    with pytest.raises(BadFile) as error:
        run_processor(processor, data, **options)
    return error.value.code


def test_a_pdf_states_its_facts() -> None:
    data = pdfs.pdf(["one", "two"], INFO)

    assert run_processor("document.facts", data).facts == {
        "format": "pdf",
        "pages": 2,
        "title": "Annual report",
        "author": "J. Doe",
        "producer": "us",
        "created_at": "2024-01-31T12:00:00+01:00",
        "modified_at": "2024",
        "version": "1.7",
        "page_sizes_pt": ["612×792"],
        "attachment_count": 0,
        "encrypted": False,
        "signed": False,
        "tagged": False,
    }


def test_text_comes_by_page() -> None:
    made = run_processor("document.text", pdfs.pdf(["first line\nsecond line", "last words"]), by_page=True)
    text, pages = made.outputs

    assert text.data.decode() == "first line\nsecond line\flast words"
    assert json.loads(pages.data) == ["first line\nsecond line", "last words"]
    assert made.facts == {"pages": 2, "words": 6, "characters": 32}


@pytest.mark.parametrize(
    ("pages", "made"),
    [
        ("1", ["1"]),
        ("2-3,last", ["2", "3", "5"]),
        ("last", ["5"]),
        ("4-9,1", ["4", "5", "1"]),
        ("7", []),
        ("1-last", list("12345")),
    ],
)
def test_chosen_pages_become_pictures(pages: str, made: list[str]) -> None:
    outcome = run_processor("document.pages", pdfs.pdf(["x"] * 5), pages=pages, format="png", size_px=100)

    assert [output.name for output in outcome.outputs] == [f"{page}.png" for page in made]
    assert outcome.facts == {"pages": 5}


def test_a_page_is_drawn_black_on_white_with_the_longest_edge() -> None:
    made = run_processor("document.pages", pdfs.pdf(["IIIIIIII"]), format="png", size_px=792).outputs[0]
    with Image.open(io.BytesIO(made.data)) as picture:
        assert (picture.size, picture.mode, picture.getpixel((0, 0))) == ((612, 792), "RGB", (255, 255, 255))
        text = picture.convert("L").crop((70, 70, 200, 100))  # it begins 72 points from the left
    assert min(text.tobytes()) < 60
    assert made.facts == {"page": 1, "width_px": 612, "height_px": 792}


@pytest.mark.parametrize("processor", ["document.facts", "document.text", "document.pages"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdfs.locked(), "password"),
        (b"%PDF-1.7\nnothing", "corrupt"),
        (pdfs.written(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>"]), "corrupt"),
        (pdfs.written(["<< /Type /Catalog >>"]), "corrupt"),
    ],
    ids=["locked", "no objects", "pages within pages", "no pages"],
)
def test_a_bad_pdf_is_refused_by_its_reason(processor: str, data: bytes, reason: str) -> None:
    assert refused(processor, data) == reason


def test_the_reason_of_a_pdf_without_pages_is_not_that_of_an_earlier_file() -> None:
    files = [pdfs.locked(), pdfs.written(["<< /Type /Catalog >>"])]

    assert [refused("document.facts", data) for data in files] == ["password", "corrupt"]


@pytest.mark.parametrize(
    ("page", "size", "shape"),
    [
        ("/MediaBox [0 0 612 792] /Rotate 90", "792×612", (100, 78)),
        ("/MediaBox [0 0 612 792] /CropBox [0 0 100 200]", "100×200", (50, 100)),
        ("/MediaBox [612 792 0 0]", "612×792", (78, 100)),
        ("/MediaBox [-100 -100 -50 -20]", "50×80", (63, 100)),
        ("/MediaBox [0 0 0 0]", "612×792", (78, 100)),
        ("/MediaBox [0 0 1e39 1e39]", "612×792", (78, 100)),
        ("/MediaBox [0 0 1000000000 1]", "1000000000×1", (100, 1)),
        ("/MediaBox [0 0 0.0001 0.0001]", "0×0", (100, 100)),
        ("/MediaBox [0 0 612 792] /UserUnit 10", "612×792", (78, 100)),
        ("", "612×792", (78, 100)),
    ],
    ids=["rotated", "cropped", "inverted", "negative", "empty", "endless", "thin", "tiny", "units", "missing"],
)
def test_pages_have_the_size_that_is_seen(page: str, size: str, shape: tuple[int, int]) -> None:
    data = pdfs.one(page)
    (made,) = run_processor("document.pages", data, size_px=100).outputs

    assert run_processor("document.facts", data).facts["page_sizes_pt"] == [size]
    assert (made.facts["width_px"], made.facts["height_px"]) == shape


OUTLINE = ("/Outlines 6 0 R", "<< /First 7 0 R >>", "<< /Title (x) /Next 7 0 R /Parent 6 0 R >>")
SCRIPT = "/OpenAction << /S /JavaScript /JS (while\\(true\\){}) >>"
SIGNED = ("/AcroForm << /Fields [6 0 R] /SigFlags 3 >>", "<< /FT /Sig /T (s) /V << /Type /Sig /Filter /Adobe.PPKLite >> >>")
ATTACHED = (
    "/Names << /EmbeddedFiles << /Names [(a) 6 0 R] >> >>",
    "<< /Type /Filespec /F (../../a) /EF << /F 7 0 R >> >>",
    "<< /Length 1 >>\nstream\nx\nendstream",
)


@pytest.mark.parametrize(
    ("more", "facts"),
    [
        (OUTLINE, {}),
        ((SCRIPT,), {}),
        (SIGNED, {"signed": True, "form": "acroform"}),
        (ATTACHED, {"attachment_count": 1}),
        (("/MarkInfo << /Marked true >>",), {"tagged": True}),
    ],
    ids=["cyclic outline", "script", "signature", "attachment", "tags"],
)
def test_what_a_pdf_carries_is_stated_and_has_no_effect(more: tuple[str, ...], facts: dict[str, Any]) -> None:
    data = pdfs.one("/MediaBox [0 0 612 792]", "BT /F1 24 Tf 72 700 Td (Hello) Tj ET", *more)
    found = run_processor("document.facts", data).facts

    assert {name: found[name] for name in facts} == facts
    assert run_processor("document.text", data).outputs[0].data == b"Hello"
    assert len(run_processor("document.pages", data, size_px=50).outputs) == 1


def test_statements_in_odd_encodings_are_texts() -> None:
    """Half a surrogate, a control character, a mark of direction, PDFDocEncoding, UTF-8 with its mark."""
    info = "/Title <FEFF00410000D8000042> /Author <FEFF202E05D0> /Subject (\\344) /Keywords <EFBBBFC3A4>"
    found = run_processor("document.facts", pdfs.pdf(["x"], info)).facts

    assert found["title"] == "A\N{REPLACEMENT CHARACTER}B"
    assert (found["author"], found["subject"], found["keywords"]) == ("\u202eא", "ä", "ä")


def test_control_characters_are_left_out_of_text() -> None:
    data = pdfs.one("/MediaBox [0 0 612 792]", "BT /F1 24 Tf 72 700 Td (a\0b\x01c) Tj ET")

    assert run_processor("document.text", data).outputs[0].data == b"abc"


def test_an_owners_password_alone_opens_for_all() -> None:
    found = run_processor("document.facts", pdfs.locked(b"")).facts

    assert (found["encrypted"], found["pages"]) == (True, 1)


def test_a_damaged_page_hides_no_facts() -> None:
    pages = ["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>", "(no page)"]
    data = pdfs.written(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>", *pages])

    assert run_processor("document.facts", data).facts["page_sizes_pt"] == ["9×9"]
    assert refused("document.text", data) == "corrupt"


def test_a_table_of_references_is_repaired() -> None:
    data = pdfs.pdf(["Hello"]).replace(b"startxref\n", b"startxref\n9")

    assert run_processor("document.text", data).outputs[0].data == b"Hello"


@pytest.mark.parametrize("processor", ["document.text", "document.pages"])
def test_too_many_pages_are_refused(processor: str) -> None:
    assert refused(processor, pdfs.pdf(["x"] * 3), max_pages=2) == "too_many_pages"


def test_a_pdf_may_begin_after_other_bytes() -> None:
    assert run_processor("document.facts", b"\n" * 100 + pdfs.pdf(["x"])).facts["pages"] == 1


@pytest.mark.parametrize("size", [(1, 14400), (14400, 1), (14400, 14400)])
def test_pages_of_every_shape_have_a_picture(size: tuple[int, int]) -> None:
    made = run_processor("document.pages", pdfs.pdf(["x"], size=size), size_px=200).outputs[0]

    assert max(made.facts["width_px"], made.facts["height_px"]) == 200
    assert min(made.facts["width_px"], made.facts["height_px"]) >= 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("pages", "0"),
        ("pages", "1-"),
        ("pages", ""),
        ("pages", "a"),
        ("pages", 1),
        ("size_px", 0),
        ("size_px", 9000),
        ("format", "gif"),
        ("quality", 101),
        ("max_pages", 0),
    ],
)
def test_a_wrong_option_is_named(option: str, value: object) -> None:
    with pytest.raises(BadConfiguration, match=rf"^options\.{option}: "):
        run_processor("document.pages", b"", **{option: value})
