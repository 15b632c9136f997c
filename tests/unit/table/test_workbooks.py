"""Profiles of workbooks and Parquet files against values written by hand."""

import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.document.offices import zipped
from tests.unit.table import books
from tests.unit.table.test_profile_of_text import profile, refused, types

CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def test_a_sheet_is_profiled_below_its_titles() -> None:
    rows = (
        books.row(1, "Report") + books.row(3, "city", "n", "ok") + books.row(4, "Oslo", 1, True) + books.row(5, "=cmd()", 2.5)
    )

    assert profile(books.book(("Sales", rows), ("Empty", ""))) == {
        "format": "xlsx",
        "sheet_count": 2,
        "sheets": [
            {
                "name": "Sales",
                "visible": True,
                "header": True,
                "skipped_rows": 2,
                "rows": 2,
                "column_count": 3,
                "columns": [
                    {"name": "city", "type": "text", "nulls": 0, "min": "'=cmd()", "max": "Oslo", "approx_distinct": 2},
                    {"name": "n", "type": "number", "nulls": 0, "min": 1, "max": 2.5, "approx_distinct": 2},
                    {"name": "ok", "type": "boolean", "nulls": 1, "min": True, "max": True, "approx_distinct": 1},
                ],
                "sample": [["Oslo", 1, True], ["'=cmd()", 2.5, None]],
            },
            {
                "name": "Empty",
                "visible": True,
                "header": False,
                "skipped_rows": 0,
                "rows": 0,
                "column_count": 0,
                "columns": [],
                "sample": [],
            },
        ],
    }


def test_a_column_of_several_types_is_mixed() -> None:
    facts = profile(books.book(("S", books.row(1, "v") + books.row(2, "x") + books.row(3, 1))))

    assert facts["sheets"][0]["columns"] == [{"name": "v", "type": "mixed", "nulls": 0, "approx_distinct": 2}]


def test_different_values_are_counted_up_to_a_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.processors.tables.statistics.MAX_DISTINCT", 2)
    monkeypatch.setattr("shared.processors.tables.profiling.MAX_DISTINCT", 2)

    columns = profile(books.book(("S", books.row(1, 1, 5) + books.row(2, 2, 5) + books.row(3, 3, 5))))["sheets"][0]["columns"]
    assert [column["approx_distinct"] for column in columns] == [2, 1]


def test_a_formula_has_its_saved_value() -> None:
    rows = books.row(1, "n") + '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>'

    assert profile(books.book(("S", rows)))["sheets"][0]["sample"] == [[2]]


def test_sheets_beyond_the_option_are_counted() -> None:
    facts = profile(books.book(*[(f"S{number}", books.row(1, 1)) for number in range(3)]), max_sheets=2)

    assert (facts["sheet_count"], [sheet["name"] for sheet in facts["sheets"]]) == (3, ["S0", "S1"])


def test_empty_cells_at_the_end_of_an_ods_do_not_count() -> None:
    rows = (
        books.ods_row(books.ods_text("a"), books.ods_text("b"), books.ods_empty(16_382))
        + books.ods_row(books.ods_number(3, 2), books.ods_empty(16_382), repeated=3)
        + books.ods_row(books.ods_empty(16_384), repeated=1_048_000)
    )

    (sheet,) = profile(books.ods(rows))["sheets"]
    assert (sheet["rows"], sheet["column_count"], sheet["sample"]) == (3, 2, [[3, 3]] * 3)


def test_a_long_column_is_read() -> None:
    rows = books.row(1, "a") + '<row r="250000"><c r="A250000"><v>1</v></c></row>'

    (sheet,) = profile(books.book(("S", rows)))["sheets"]
    assert (sheet["rows"], sheet["columns"][0]["nulls"]) == (249_999, 249_998)


def test_styled_cells_without_a_value_do_not_count() -> None:
    rows = books.row(1, "a") + books.row(2, 1) + '<row r="1048576"><c r="XFD1048576" s="0"/></row>'

    assert profile(books.book(("S", rows)))["sheets"][0]["rows"] == 1


def corner(cell: str) -> bytes:
    return books.book(("S", books.row(1, "a") + f'<row r="1048576">{cell}</row>'))


def with_doctype() -> bytes:
    parts = {name: zipfile.ZipFile(BytesIO(corner(""))).read(name) for name in zipfile.ZipFile(BytesIO(corner(""))).namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    return zipped({**parts, "xl/worksheets/sheet1.xml": b'<!DOCTYPE x [<!ENTITY a "b">]>' + sheet})


def of_another_name(data: bytes) -> bytes:
    """The workbook with its sheet in a part whose name is unusual, and in capitals."""
    parts = {name: zipfile.ZipFile(BytesIO(data)).read(name) for name in zipfile.ZipFile(BytesIO(data)).namelist()}
    parts["XL/Other"] = parts.pop("xl/worksheets/sheet1.xml")
    return zipped({name: content.replace(b"worksheets/sheet1.xml", b"other") for name, content in parts.items()})


def before_its_begin(data: bytes) -> bytes:
    """The workbook, whose directory states such a place of its own that the parts lie before the file."""
    place = struct.unpack("<I", data[-6:-2])[0]
    return data[:-6] + struct.pack("<I", place + 1000) + data[-2:]


def test_a_binary_workbook_is_profiled() -> None:
    (sheet,) = profile(books.xlsb(books.numbers((0, 0), (0, 1), (2, 1))))["sheets"]

    assert (sheet["name"], sheet["rows"], [column["nulls"] for column in sheet["columns"]]) == ("First", 3, [2, 1])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (corner('<c r="XFD1048576"><v>1</v></c>'), "table_too_large"),
        (corner("<c s='0' r='XFD1048576' ><v>1</v></c>"), "table_too_large"),
        (books.book(("S", books.row(1, "a") + '<row r="2"><c r="XFC2"><v>1</v></c></row>')), "table_too_large"),
        (books.ods(books.ods_row(books.ods_number(1, 16_000), repeated=1_048_576)), "table_too_large"),
        (books.xlsb(books.numbers((0, 0), (1_048_575, 16_383))), "table_too_large"),
        (books.xlsb(books.numbers((9, 9), (9, 5_000_009)), "of/any/name"), "table_too_large"),
        (books.xlsb(books.numbers((0, 0)), extent=b"abc"), "corrupt"),
        (before_its_begin(corner("")), "corrupt"),
        (books.xlsb(books.record(0x91, b"") + b"\5\x7fcut"), "corrupt"),
        (of_another_name(corner('<c r="XFD1048576"><v>1</v></c>')), "table_too_large"),
        (with_doctype(), "corrupt"),
        (zipped({"xl/workbook.xml": "<nothing"}), "corrupt"),
        (zipped({"word/document.xml": "<d/>"}), "unsupported"),
        (b"PK\x03\x04 and nothing else", "corrupt"),
        (CFB + b"\0" * 2000, "corrupt"),
        (b"PAR1" + b"x" * 100 + b"\xff\xff\xff\x7fPAR1", "corrupt"),
        (b"PAR1" + b"a,b\n1,2\n" * 10, "truncated"),
        (b"PARE" + b"\0" * 50 + b"PARE", "password"),
    ],
    ids=[
        *(
            "corner",
            "quoted corner",
            "wide",
            "ods",
            "xlsb",
            "wide xlsb",
            "short xlsb",
            "before",
            "cut xlsb",
            "name",
            "doctype",
            "no xml",
            "docx",
            "cut zip",
            "no xls",
        ),
        *("parquet length", "parquet end", "parquet encrypted"),
    ],
)
def test_a_bad_file_has_a_reason(data: bytes, reason: str) -> None:
    assert refused(data) == reason


def stating(size: int) -> bytes:
    """A workbook whose directory states this size for a part of 12,345 bytes."""
    data = zipped({"xl/workbook.xml": "<w/>", "xl/sharedStrings.xml": b" " * 12_345})
    return data.replace(struct.pack("<I", 12_345), struct.pack("<I", size))


@pytest.mark.parametrize(("size", "reason"), [(513 << 20, "unpacks_too_large"), (12_000, "corrupt")])
def test_a_workbook_that_unpacks_too_large_or_lies_is_refused(size: int, reason: str) -> None:
    assert refused(stating(size)) == reason


def parquet(query: str, folder: Path) -> bytes:
    path = folder / "made.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_a_parquet_file_is_profiled(tmp_path: Path) -> None:
    data = parquet(
        "SELECT * FROM (VALUES (1, 'x', DATE '2026-01-31', [1]), (2, NULL, DATE '2026-02-01', [2, 3])) t(n, s, d, l)", tmp_path
    )

    facts: dict[str, Any] = profile(data)

    assert (facts["format"], facts["rows"], facts["column_count"]) == ("parquet", 2, 4)
    assert types(facts) == {"n": "integer", "s": "text", "d": "date", "l": "list"}
    assert facts["columns"][2] == {
        "name": "d",
        "type": "date",
        "nulls": 0,
        "min": "2026-01-31",
        "max": "2026-02-01",
        "approx_distinct": 2,
    }
    assert facts["sample"] == [[1, "x", "2026-01-31", "[1]"], [2, None, "2026-02-01", "[2,3]"]]


def test_a_damaged_parquet_file_is_corrupt(tmp_path: Path) -> None:
    data = bytearray(parquet("SELECT range AS n, 'text ' || range AS s FROM range(1000)", tmp_path))
    data[-200:-20] = b"\xff" * 180

    assert refused(bytes(data)) == "corrupt"
