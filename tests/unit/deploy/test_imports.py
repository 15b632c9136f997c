"""deploy/ runs where nothing is installed: it imports the standard library and itself."""

import ast
import sys

import pytest

from shared.settings import ROOT

FILES = sorted(path.name for path in (ROOT / "deploy").glob("*.py"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_deploy_imports_nothing_that_has_to_be_installed(name: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((ROOT / "deploy" / name).read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert imported <= {"deploy", *sys.stdlib_module_names}
