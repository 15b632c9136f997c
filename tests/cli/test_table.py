"""Tables: aligned by the columns that text takes on a terminal, cut only there, and safe for it."""

import pytest

from cli import table
from cli.table import field

COLUMNS = field("name"), field("size", is_number=True), field("message")


def test_columns_are_aligned_and_numbers_are_at_the_right() -> None:
    rows = [{"name": "a", "size": 12345, "message": "x"}, {"name": "long", "size": 6, "message": ""}]

    assert table.lines(rows, COLUMNS) == ["NAME   SIZE  MESSAGE", "a     12345  x", "long      6"]


def test_a_missing_field_is_empty() -> None:
    assert table.lines([{"name": "a"}], COLUMNS)[1] == "a"


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("\u200b", 0), ("", 0)])
def test_the_columns_of_a_text_are_those_of_a_terminal(text: str, columns: int) -> None:
    assert table.columns_of(text) == columns


@pytest.mark.parametrize(
    ("name", "shown"), [("\x1b[2Jx", "\\x1b[2Jx"), ("a\tb", "a\\tb"), ("a\u202eb", "a\\u202eb"), ("é", "é")]
)
def test_a_name_cannot_steer_the_terminal(name: str, shown: str) -> None:
    assert table.printable(name) == shown


def test_the_last_column_is_cut_to_the_width_of_the_terminal_but_stays_readable() -> None:
    rows = [{"name": "n" * 30, "size": 1, "message": "m" * 100}]

    assert len(table.lines(rows, COLUMNS, width=80)[1]) == 80
    assert table.lines(rows, COLUMNS, width=80)[1].endswith("m…")
    assert len(table.lines(rows, COLUMNS, width=10)[1]) == 30 + 2 + 4 + 2 + table.MIN_LAST_COLUMNS
    assert table.lines(rows, COLUMNS)[1].endswith("m" * 100)
