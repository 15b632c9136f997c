"""Every page of the docs: short lines, links that lead somewhere, a changelog in its form."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import ROOT

MAX_COLUMNS = 160
MAX_README_LINES = 150
MAX_CHANGE_COLUMNS = 100
FOLDERS = (".", "docs", "localcloud", "benchmarks", "tests/data")
PAGES = sorted(str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))
CHANGES = (ROOT / "CHANGELOG.md").read_text()


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub derives them from its headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Path) -> Iterator[str]:
    """Links within the project whose file or heading does not exist."""
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            yield link


def test_the_pages_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/deploy.md", "localcloud/README.md"} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_lines_are_short(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()

    assert [(number, len(line)) for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS] == []


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    assert list(broken_links(ROOT / name)) == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_a_tag(name: str) -> None:
    """None exists: `git checkout v1.4` would fail."""
    without_urls = re.sub(r"https?://\S+", "", (ROOT / name).read_text())

    assert re.findall(r"\bv\d+\.\d+\S*", without_urls) == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_README_LINES


def test_the_newest_version_in_the_changelog_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert re.findall(r"^## (\S+)", CHANGES, re.MULTILINE)[0] == version


def test_the_changelog_has_one_short_line_for_each_change() -> None:
    _, *sections = re.split(r"^### ", CHANGES, flags=re.MULTILINE)
    entries = [line for section in sections for line in section.splitlines()[1:] if line and not line.startswith("## ")]

    assert {section.splitlines()[0] for section in sections} <= {"Added", "Changed", "Fixed", "Removed"}
    wrong = [line for line in entries if not line.startswith("- ") or len(line) > MAX_CHANGE_COLUMNS]
    assert wrong == [], f"a change is one line that begins with `- ` and has at most {MAX_CHANGE_COLUMNS} characters"
