"""Values of facts as short text: harmless, cut, with groups of digits."""

from typing import Any

import pytest

from shared.findings import values


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a\\u202eb"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\u200f", "a\\u200f"),
        ("\x9b1m", "\\x9b1m"),
        ("a\tb", "a\\tb"),
        ("日本 é\u00a0😀", "日本 é\u00a0😀"),
    ],
)
def test_steering_characters_are_escaped(text: str, shown: str) -> None:
    assert values.shown(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(99_999, "99999"), (100_000, "100,000"), (-99_999, "-99999"), (-100_000, "-100,000"), (True, "yes")]
)
def test_large_numbers_have_groups(value: Any, shown: str) -> None:
    assert values.shown(value) == shown


def test_true_is_no_count() -> None:
    assert (values.count(True), values.count(1000)) == ("", "1,000")


def test_a_long_value_is_cut_with_a_mark() -> None:
    assert values.shown("x" * 500) == "x" * 500
    assert values.shown("x" * 501) == "x" * 500 + "…"


def test_a_text_keeps_its_lines() -> None:
    assert values.lines("a\tb\r\nc\rd\fe\u202e\x00") == "a\tb\nc\nd\n\ne\\u202e\\x00"
