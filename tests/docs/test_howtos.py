"""The README and the how-tos work as printed: followed in a copy of the project, they keep all checks green."""

from pathlib import Path

import pytest

from shared.settings import ROOT
from tests.docs import project

HOWTOS = sorted((ROOT / "docs").glob("add-*.md"))
#: The checks that the README asks for: of its tests, those that read the processors or the pages.
CHECKS = """
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy shared
.venv/bin/pytest -q tests/unit/test_registry.py tests/unit/test_pipeline_toml.py tests/unit/test_docs.py tests/docs/test_notices.py
.venv/bin/pytest -q tests/unit/test_pages.py tests/unit/test_prose.py tests/unit/test_arrows.py
"""


@pytest.mark.parametrize("page", HOWTOS, ids=lambda page: page.stem)
def test_a_how_to_works_as_printed(page: Path, tmp_path: Path) -> None:
    project.follow(page, project.copy(tmp_path / "sluice"))


def test_the_processor_in_the_readme_works_as_printed(tmp_path: Path) -> None:
    folder = project.copy(tmp_path / "sluice")
    project.follow(ROOT / "README.md", folder, commands=False)
    project.run(CHECKS, folder)
    counted = "from shared.testing import run_processor; print(run_processor('text.lines', b'one\\ntwo\\n').facts)"

    assert project.run(f'.venv/bin/python -c "{counted}"', folder) == "{'lines': 2}\n"


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
