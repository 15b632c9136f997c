"""Values of tables as facts show them, against texts written by hand."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from shared.processors.tables.values import is_formula, iso, shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2.5, 2.5),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("a\x00b\x7fc\ud800d", "a\ufffdb\ufffdc\ufffdd"),
        ("a\tb\nc", "a\tb\nc"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12, 0, 1), "2026-01-31 12:00:01"),  # noqa: DTZ001  (sheets have no zones)
        (time(6, 5), "06:05:00"),
    ],
)
def test_a_value_is_shown(value: Any, expected: Any) -> None:
    found = shown(value)

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("text", ["=1", "+x", "-x", "@x", "\tx", "\rx", "-1+1", "+49 30", "-1;=x"])
def test_a_formula_is_known(text: str) -> None:
    assert is_formula(text)
    assert shown(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "x=1", "-5", "+5", "-1.5e7", "-1,000.5", "-3%", " =1"])
def test_a_number_or_text_is_no_formula(text: str) -> None:
    assert not is_formula(text)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "00:00:00"),
        (59.5, "00:00:59.500"),
        (59.9999, "00:01:00"),
        (3599.9996, "01:00:00"),
        (90_061.25, "25:01:01.250"),
        (360_000, "100:00:00"),
        (-90, "-00:01:30"),
        (-0.5, "-00:00:00.500"),
        (-0.0001, "00:00:00"),
    ],
)
def test_a_duration_has_hours_minutes_and_seconds(seconds: float, expected: str) -> None:
    assert iso(timedelta(seconds=seconds)) == expected
