"""The prose rules of CONTRIBUTING.md that a program can check, over every Python file and every page."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from shared.settings import ROOT
from tests.unit import source

MAX_FIRST_LINE = 110
FOLDERS = ("shared", "functions", "cli", "local", "localcloud", "deploy", "benchmarks", "examples", "tests")
FILES = sorted(str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TEXTS = (
    "*.md",
    "docs/*.md",
    "localcloud/*.md",
    "benchmarks/*.md",
    "tests/data/*.md",
    "deploy/*.tsv",
    "examples/**/*.*",
    "*.toml",
    "*.sh",
    "sluice",
    "Makefile",
)
PAGES = sorted(str(path.relative_to(ROOT)) for pattern in TEXTS for path in ROOT.glob(pattern))
#: Each has a plainer substitute: a noun for a client or a user; says, has, allows; "missing" or "not found".
AVOIDED = re.compile(r"\b(nobody|somebody|anybody|tells?|knows?|lets|there is none)\b", re.IGNORECASE)


def problems(text: str, *, with_strings: bool = True) -> list[str]:
    """Faults in the docstrings, comments and other strings of this Python source, each with its line."""
    tree = ast.parse(text)
    docstrings = list(_docstrings(tree))
    faults = [f"line {line}: {fault}" for line, docstring in docstrings for fault in _first_line_faults(docstring)]
    if not AVOIDED.search(text):
        return faults  # most files: parsing their comments takes longer than the rest
    strings = list(_strings(tree)) if with_strings else docstrings
    return faults + [
        f"line {line}: {word!r}" for line, prose in [*strings, *_comments(text)] for word in AVOIDED.findall(prose)
    ]


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in (tree, *source.statements(tree)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, docstring


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _first_line_faults(docstring: str) -> Iterator[str]:
    first = re.sub(r"\(?https?://\S+", "", docstring.splitlines()[0])
    if len(first) > MAX_FIRST_LINE:
        yield f"the first line of the docstring has {len(first)} characters; at most {MAX_FIRST_LINE} are allowed"
    if first.startswith("What "):
        yield "the docstring begins with What; use a noun"


def test_python_prose_is_plain() -> None:
    """Strings of tests are not prose: they may send anything."""
    texts = {name: (ROOT / name).read_text() for name in FILES}
    found = {name: problems(text, with_strings=not name.startswith("tests/")) for name, text in texts.items()}

    assert {name: faults for name, faults in found.items() if faults} == {}


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
        ('raise ValueError(f"{name}: there is none")', "'there is none'"),
    ],
)
def test_a_planted_fault_is_found(text: str, fault: str) -> None:
    (found,) = problems(text)

    assert fault in found


def test_urls_do_not_count() -> None:
    assert problems(f'"""Sizes (https://example.com/{"x" * 110})."""') == []


def test_the_files_are_really_found() -> None:
    assert {"shared/pipeline.py", "localcloud/__init__.py", "tests/unit/test_prose.py"} <= set(FILES)
    assert {"README.md", "docs/deploy.md", "deploy/grants.tsv", "pipeline.toml"} <= set(PAGES)
