"""The rule for labels."""

import pytest

from localcloud.labels import wrong_label


@pytest.mark.parametrize("label", [("a", ""), ("a-b_1", "1-_c"), ("ключ", "значение"), ("x" * 63, "y" * 63)])
def test_a_label_of_lower_case_letters_is_fine(label: tuple[str, str]) -> None:
    assert wrong_label(dict([label])) == ""


@pytest.mark.parametrize(
    "label",
    [("", "b"), ("A", "b"), ("1a", "b"), ("-a", "b"), ("a b", "c"), ("a", "B"), ("a", "b.c"), ("x" * 64, ""), ("a", "y" * 64)],
)
def test_a_label_that_google_would_not_keep_is_named(label: tuple[str, str]) -> None:
    assert f"Invalid label {label[0]!r}: {label[1]!r}" in wrong_label(dict([label]))


def test_there_are_64_labels_at_most() -> None:
    assert wrong_label({f"a{n}": "" for n in range(64)}) == ""
    assert "at most 64" in wrong_label({f"a{n}": "" for n in range(65)})
