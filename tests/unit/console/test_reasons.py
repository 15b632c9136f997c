"""Every reason of a verdict has words.

docs/notices.md and docs/processors.md list them all; other tests hold these pages to the code.
"""

import re

import pytest

from shared.console import reasons
from shared.settings import ROOT


def listed() -> set[str]:
    """The reasons in the tables of the docs."""
    notices = (ROOT / "docs" / "notices.md").read_text()
    processors = (ROOT / "docs" / "processors.md").read_text().partition("\n## Reasons\n")[2]
    return set(re.findall(r"^\| `\w+` \| `(\w+)` \|", notices, re.MULTILINE)) | set(
        re.findall(r"^\| `(\w+)` \|", processors, re.MULTILINE)
    )


def test_every_reason_has_words_and_no_other() -> None:
    """`bad_file` is the reason of a processor that gives none."""
    assert {"corrupt", "attempts_used_up", "no_route"} <= listed()
    assert reasons.REASONS.keys() == listed() | {"bad_file"}, "give each its words in shared/console/reasons.py"


@pytest.mark.parametrize("code", reasons.REASONS)
def test_words_are_whole_sentences(code: str) -> None:
    found = reasons.of(code)

    assert found.title
    assert not found.title.endswith(".")
    assert all(text.endswith(".") and text[0].isupper() for text in (found.meaning, found.remedy))


@pytest.mark.parametrize(("code", "title"), [("own_code", "Own code"), ("", "No reason recorded")])
def test_a_code_without_words_stands_for_itself(code: str, title: str) -> None:
    assert reasons.of(code).title == title


def test_an_ignored_object_is_named() -> None:
    assert reasons.of("a folder marker") == reasons.Reason("A folder marker", "The pipeline ignores such objects.", "")
