"""The limits of workbooks: the extent of sheets by the places of their cells."""

from io import BytesIO
from pathlib import Path

import pytest

from shared.errors import BadFile
from shared.processors.tables import cells, ods
from tests.unit.document.offices import zipped
from tests.unit.table import books


def refusal(data: bytes, folder: Path) -> str:
    path = folder / "book"
    path.write_bytes(data)
    try:
        cells.check_package(path)
    except BadFile as error:
        return error.code
    return ""


def with_cell(cell: str) -> bytes:
    return books.book(("S", books.row(1, "a") + f"<row>{cell}</row>"))


@pytest.mark.parametrize(("rows", "columns", "is_large"), [(5_000_000, 1, False), (2500, 2000, False), (5_000_001, 1, True)])
def test_five_million_cells_are_the_most(rows: int, columns: int, is_large: bool) -> None:
    if is_large:
        with pytest.raises(BadFile) as error:
            cells.check_area(rows, columns)
        assert error.value.code == "table_too_large"
    else:
        cells.check_area(rows, columns)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('<c r="Z192307"><v>1</v></c>', ""),  # 26 columns by 192,307 rows are 4,999,982 cells
        ('<c r="Z192308"><v>1</v></c>', "table_too_large"),
        ('<c r="Z200000"><v>1</v></c>', "table_too_large"),
        ('<c r="AA185186"><v>1</v></c>', "table_too_large"),
        ('<c r="AA185185"><v>1</v></c>', ""),  # 27 columns by 185,185 rows are 4,999,995 cells
        ('<c r="A1048576"><v>1</v></c>', ""),
        ('<c r="XFD306"><v>1</v></c>', "table_too_large"),
        ('<c r="XFD305"><v>1</v></c>', ""),  # 16,384 columns by 305 rows are 4,997,120 cells
        ('<c r="XFD306" s="1"/>', ""),
        ('<x:c r="XFD306" s="1"><v>1</v></x:c>', "table_too_large"),
        ('<c xr="XFD306" r="A2"><v>1</v></c>', ""),
    ],
)
def test_the_rectangle_is_that_of_filled_cells(cell: str, reason: str, tmp_path: Path) -> None:
    assert refusal(with_cell(cell), tmp_path) == reason


def test_a_place_across_two_blocks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_cell('<c r="XFD1048576"><v>1</v></c>')
    for size in range(3, 20):
        monkeypatch.setattr(cells, "_BLOCK_BYTES", size)
        assert refusal(data, tmp_path) == "table_too_large", size


@pytest.mark.parametrize(("parts", "reason"), [(9, ""), (10, "unpacks_too_large")])
def test_a_package_has_a_most_of_parts(parts: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MAX_PARTS", 10)
    data = zipped({"xl/workbook.xml": "<w/>", **{f"part{number}": "" for number in range(parts)}})

    assert refusal(data, tmp_path) == reason


def extents(rows: str, *more: str) -> list[tuple[int, int]]:
    """The rectangles of the sheets of an OpenDocument file, as they grow."""
    found: list[tuple[int, int]] = []
    head = '<x xmlns:table="t" xmlns:office="o" xmlns:text="p">'
    sheets = "".join(f"<table:table>{one}</table:table>" for one in (rows, *more))
    ods.check_repeats(BytesIO(f"{head}{sheets}</x>".encode()), lambda height, width: found.append((height, width)))
    return found


def test_empty_rows_between_filled_ones_count() -> None:
    number, empty = books.ods_number(1), books.ods_empty(9)

    rows = books.ods_row(number) + books.ods_row(empty, repeated=5) + books.ods_row(number, repeated=2) + books.ods_row(empty)
    assert extents(rows) == [(1, 1), (8, 1)]


def test_covered_and_repeated_cells_count_up_to_the_last_filled_one() -> None:
    covered = '<table:covered-table-cell table:number-columns-repeated="3"/>'

    row = books.ods_row(books.ods_number(1), covered, books.ods_empty(2), books.ods_number(2, repeated=4), books.ods_empty(100))
    assert extents(row) == [(1, 10)]


def test_each_sheet_is_measured_by_itself() -> None:
    one = books.ods_row(books.ods_number(1, repeated=5), repeated=7)

    assert extents(one, books.ods_row(books.ods_number(1))) == [(7, 5), (1, 1)]


def test_a_repeat_of_seven_digits_counts() -> None:
    assert extents(books.ods_row(books.ods_number(1), repeated=1_048_576)) == [(1_048_576, 1)]
