"""The prose rules of CONTRIBUTING.md that a program can check, over every Python file and every page."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from shared.settings import ROOT

MAX_FIRST_LINE = 110
FOLDERS = ("shared", "functions", "local", "localcloud", "deploy", "benchmarks", "tests")
FILES = sorted(str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PAGES = sorted(
    str(path.relative_to(ROOT))
    for folder in (".", "docs", "localcloud", "benchmarks", "tests/data")
    for path in (ROOT / folder).glob("*.md")
)
#: A client, a caller or a user has a noun; programs neither tell, know nor let; a message says "missing" and what to do.
AVOIDED = re.compile(r"\b(nobody|somebody|anybody|tells?|knows?|lets|there is none)\b", re.IGNORECASE)


def problems(text: str) -> list[str]:
    """Faults in the docstrings and comments of this Python source: each with its line."""
    found = [(node, ast.get_docstring(node)) for node in ast.walk(ast.parse(text)) if isinstance(node, _DOCUMENTED)]
    docstrings = [(node.body[0].lineno, docstring) for node, docstring in found if docstring]
    faults = [f"line {line}: {fault}" for line, docstring in docstrings for fault in _first_line_faults(docstring)]
    return faults + [
        f"line {line}: {word!r}" for line, prose in [*docstrings, *_comments(text)] for word in AVOIDED.findall(prose)
    ]


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _first_line_faults(docstring: str) -> Iterator[str]:
    first = re.sub(r"\(?https?://\S+", "", docstring.splitlines()[0])
    if len(first) > MAX_FIRST_LINE:
        yield f"the first line of the docstring has {len(first)} characters, not at most {MAX_FIRST_LINE}"
    if first.startswith("What "):
        yield "the docstring begins with What; use a noun"


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("name", FILES)
def test_docstrings_and_comments_are_plain(name: str) -> None:
    assert problems((ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_plain(name: str) -> None:
    lines = enumerate((ROOT / name).read_text().splitlines(), 1)

    assert [(number, word) for number, line in lines for word in AVOIDED.findall(line)] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"""What lives here."""', "begins with What"),
        (f'def f() -> None:\n    """{"long " * 23}."""', "line 2: the first line"),
        ('class A:\n    """Nobody may call this."""', "'Nobody'"),
        ("a = 1  # lets the caller in", "'lets'"),
        ('"""Short.\n\nThe queue tells it.\n"""', "'tells'"),
    ],
)
def test_a_planted_fault_is_found(text: str, fault: str) -> None:
    (found,) = problems(text)

    assert fault in found


def test_urls_do_not_count() -> None:
    assert problems(f'"""Sizes (https://example.com/{"x" * 110})."""') == []


def test_the_files_are_really_found() -> None:
    assert {"shared/pipeline.py", "localcloud/__init__.py", "tests/unit/test_prose.py"} <= set(FILES)
    assert "README.md" in PAGES
