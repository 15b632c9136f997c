"""Patterns that match one text: the walk finds the same as trying texts one by one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.routes import overlaps
from shared.routes.definitions import matches

PATTERNS = st.text("ab/*?", min_size=1, max_size=4)
#: Every text of at most five of these characters; of patterns this short, a shortest common text is no longer.
TEXTS = ["".join(text) for length in range(1, 6) for text in itertools.product("ab/-", repeat=length)]


def tried(patterns: set[str]) -> set[frozenset[str]]:
    """The sets of patterns that one of the texts matches."""
    found = {frozenset(pattern for pattern in patterns if matches(pattern, text)) for text in TEXTS}
    return found - {frozenset()}


@given(st.sets(PATTERNS, min_size=1, max_size=2))
def test_the_walk_finds_each_set_that_some_text_matches(patterns: set[str]) -> None:
    assert tried(patterns) <= overlaps.sets(patterns)


@given(st.sets(st.text("ab/*?", min_size=1, max_size=2), min_size=1, max_size=2))
def test_some_text_matches_each_set_that_the_walk_finds(patterns: set[str]) -> None:
    assert overlaps.sets(patterns) <= tried(patterns)


@pytest.mark.parametrize(
    ("patterns", "together"),
    [
        (["**"], [["**"]]),
        (["*", "**"], [["**"], ["*", "**"]]),
        (["a*", "*b"], [["a*"], ["*b"], ["a*", "*b"]]),
        (["image/*", "*/*"], [["*/*"], ["image/*", "*/*"]]),
        (["in/**", "out/**"], [["in/**"], ["out/**"]]),
    ],
)
def test_patterns_match_together(patterns: list[str], together: list[list[str]]) -> None:
    assert overlaps.sets(patterns) == set(map(frozenset, together))


def test_hundreds_of_folders_are_walked_whole() -> None:
    folders = [f"customers/{number:03}/**" for number in range(300)]

    assert overlaps.sets(folders) == {frozenset([folder]) for folder in folders}


def test_patterns_beyond_the_limit_count_as_matching_one_text() -> None:
    patterns = [f"**{char}**" for char in "abcdefghijklmnop"]

    assert overlaps.sets(patterns) == {frozenset(patterns)}
