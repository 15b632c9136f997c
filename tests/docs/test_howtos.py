"""The README and the how-tos work as printed: followed in a copy of the project, they keep all checks green."""

from pathlib import Path

import pytest

from shared.settings import ROOT
from tests.docs import project

HOWTOS = sorted((ROOT / "docs").glob("add-*.md"))


@pytest.mark.parametrize("page", HOWTOS, ids=lambda page: page.stem)
def test_each_file_and_edit_of_a_how_to_fits_the_project(page: Path, tmp_path: Path) -> None:
    changed = project.change(page, tmp_path)

    assert changed
    for path in changed:
        if path.suffix == ".py":
            compile(path.read_text(), path, "exec")


@pytest.mark.long
@pytest.mark.parametrize("page", HOWTOS, ids=lambda page: page.stem)
def test_a_how_to_works_as_printed(page: Path, tmp_path: Path) -> None:
    project.follow(page, project.copy(tmp_path / "sluice"))


def test_there_is_a_how_to_for_each_kind_of_change() -> None:
    kinds = ["add-a-google-cloud-resource", "add-a-processor", "add-a-setting", "add-an-emulated-method"]

    assert [page.stem for page in HOWTOS] == kinds


@pytest.mark.parametrize(
    ("diff", "text"),
    [
        ("-b\n+B\n", "a\nB\nc\n"),
        (" a\n+A\n", "a\nA\nb\nc\n"),
        (" b\n-c\n", "a\nb\n"),
    ],
)
def test_an_edit_is_made_where_its_context_is(diff: str, text: str) -> None:
    assert project.patched("a\nb\nc\n", diff) == text


@pytest.mark.parametrize("diff", ["-d\n+D\n", " a\n"])
def test_an_edit_without_its_place_is_refused(diff: str) -> None:
    with pytest.raises(AssertionError, match="times, not once"):
        project.patched("a\na\n", diff)
