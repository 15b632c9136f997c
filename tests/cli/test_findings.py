"""Findings on a terminal: aligned lines, cut, and safe for it."""

from typing import Any

from cli import findings

PROFILE: dict[str, Any] = {
    "rows": 2,
    "columns": [
        {"name": "planet", "type": "text", "nulls": 0, "min": "Earth", "max": "Mars"},
        {"name": "moons", "type": "integer", "nulls": 1, "min": 1, "max": 2},
    ],
    "sample": [["Earth", 1], ["Mars", None]],
}


def test_a_table_is_aligned_lines() -> None:
    assert list(findings.lines([{}, PROFILE])) == [
        "table",
        "  rows  2",
        "  columns",
        "    Column  Type     Nulls  Min    Max",
        "    planet  text         0  Earth  Mars",
        "    moons   integer      1  1      2",
        "  first rows",
        "    planet  moons",
        "    Earth       1",
        "    Mars",
    ]


def test_the_name_of_a_sheet_keeps_its_capitals() -> None:
    sheet = {"name": "Sales Q1", "columns": [{"name": "a"}]}

    assert "  columns of Sales Q1" in list(findings.lines([{"format": "xlsx", "sheets": [sheet]}]))


def test_a_value_is_safe_for_the_terminal() -> None:
    """Marks without a width are harmless on a page, and confuse a terminal's columns."""
    assert list(findings.lines([{"format": "pdf", "title": "a\u200bb\ue000"}]))[1] == "  title   a\\u200bb\\ue000"


def test_lines_are_bounded_and_steer_no_terminal() -> None:
    columns = [{"name": f"\x1b[2J\u202e{number}" * 50, "type": "x" * 900} for number in range(10_000)]
    lines = list(findings.lines([{"rows": 1, "columns": columns, "sample": [["=1\n\x07"] * 10_000] * 900}], width=100))

    assert len(lines) < 120
    assert max(map(len, lines)) <= 100
    assert all(line.isprintable() for line in lines)
    assert any("more rows" in line for line in lines)
    assert "9,900 more columns" in "".join(lines)


def test_other_facts_have_no_lines() -> None:
    assert list(findings.lines([{"sha256": "x"}, {}])) == []
