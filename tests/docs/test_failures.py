"""Each row of docs/failures.md has a test that carries its id, or says why it needs none."""

import re
from pathlib import Path

from shared.settings import ROOT

ROW = re.compile(r"^\| (T\d\d) \| .+ \| (.+) \|$", re.MULTILINE)
ROWS = dict(ROW.findall((ROOT / "docs" / "failures.md").read_text()))
WITHOUT_A_TEST = {row for row, answer in ROWS.items() if answer.startswith("does not apply")}


def marked(folder: Path) -> set[str]:
    """The rows that some test of the folder carries."""
    marks = (
        mark
        for path in folder.rglob("test_*.py")
        for mark in re.findall(r"^@pytest\.mark\.failure\((.+)\)$", path.read_text(), re.M)
    )
    return {row for mark in marks for row in re.findall(r'"(T\d\d)"', mark)}


def test_every_row_is_there() -> None:
    assert sorted(ROWS) == [f"T{number:02}" for number in range(1, 73)]


def test_every_row_has_a_test_or_says_why_not() -> None:
    assert marked(ROOT / "tests") == set(ROWS) - WITHOUT_A_TEST
