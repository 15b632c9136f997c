"""The text of Excel workbooks: order, shared texts, numbers and dates, gaps."""

import pytest

from shared.errors import BadFile
from shared.processors.documents.numbers import shown
from shared.testing import run_processor
from tests.unit.document.offices import cell, xlsx, zipped

BOOK = (
    '<workbook xmlns:r="r"><workbookPr/><sheets><sheet name="B" r:id="b"/><sheet name="A" r:id="a"/></sheets></workbook>'
)  # fmt: skip
TARGETS = """<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="b" Type="x/worksheet" Target="/xl/worksheets/sheet2.xml"/>
<Relationship Id="s" Type="x/sharedStrings" Target="sharedStrings.xml"/>
<Relationship Id="t" Type="x/styles" Target="styles.xml"/>
<Relationship Id="e" Type="x/externalLink" Target="file:///etc/passwd" TargetMode="External"/></Relationships>"""
SHARED = "<sst><si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r><rPh><t>x</t></rPh></si><si><t>two\nlines</t></si></sst>"
STYLES = """<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/>
</cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>"""


def book(rows: str, other: str = "") -> bytes:
    sheets = {
        f"xl/worksheets/sheet{n}.xml": f"<worksheet><sheetData>{one}</sheetData></worksheet>"
        for n, one in ((1, other), (2, rows))
    }
    return zipped(
        {
            "xl/workbook.xml": BOOK,
            "xl/_rels/workbook.xml.rels": TARGETS,
            "xl/sharedStrings.xml": SHARED,
            "xl/styles.xml": STYLES,
            **sheets,
        }
    )


def text(data: bytes) -> str:
    return run_processor("document.text", data).outputs[0].data.decode()


def test_cells_are_shown_as_excel_does() -> None:
    row = (
        '<row r="1"><c r="A1" t="s"><v>1</v></c><c r="C1"><f>1+1</f><v>0.10000000000000001</v></c><c r="D1" t="b"><v>1</v></c>'
        '<c t="e"><v>#N/A</v></c><c s="1"><v>45322</v></c><c s="2"><v>45322.5</v></c>'
        '<c t="s"><v>2</v></c><c t="s"><v>99</v></c></row>'
    )

    assert text(book(row)) == "two\t\t0.1\tTRUE\t#N/A\t2024-01-31\t2024-01-31T12:00:00\ttwo lines\f"


def test_sheets_come_in_the_order_of_the_workbook() -> None:
    assert text(book(f"<row>{cell('A1', 'B')}</row>", f"<row>{cell('A1', 'A')}</row>")) == "B\fA"


def test_a_far_cell_costs_no_more_than_its_row() -> None:
    """A table in memory would have 17 billion cells."""
    far = text(xlsx(("A", f"<row>{cell('A1', 'near')}</row><row>{cell('XFD1048576', 'far')}</row>")))

    assert far == "near\n" + "\t" * 16_383 + "far"


@pytest.mark.parametrize(
    ("value", "pattern", "is_1904", "expected"),
    [
        ("5", "", False, "5"),
        ("1e300", "", False, "1e+300"),
        ("-1", "yyyy", False, "-1"),
        ("1", "yyyy-mm-dd", False, "1900-01-01"),
        ("61", "yyyy-mm-dd", False, "1900-03-01"),
        ("0", "m/d/yy", True, "1904-01-01"),
        ("0.75", "h:mm AM/PM", False, "18:00:00"),
        ("45322", "mmmm", False, "2024-01-31"),
        ("3", '0 "days"', False, "3"),
        ("3", "[Red]0", False, "3"),
        ("2958465", "d", False, "9999-12-31"),
        ("2958466", "d", False, "2958466"),
        ("nan", "d", False, "nan"),
        ("x", "d", False, "x"),
    ],
)
def test_numbers_and_dates(value: str, pattern: str, is_1904: bool, expected: str) -> None:
    assert shown(value, pattern, is_1904) == expected


def test_a_binary_workbook_is_unsupported_by_name() -> None:
    relations = '<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.bin"/></Relationships>'
    with pytest.raises(BadFile, match="save it as xlsx") as refused:
        text(zipped({"_rels/.rels": relations, "xl/workbook.bin": b"x"}))

    assert refused.value.code == "unsupported"
