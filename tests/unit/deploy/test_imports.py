"""deploy/ runs where nothing is installed, and so do the parts of shared/ that it imports."""

import ast
import subprocess
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

    assert imported <= {"deploy", "shared", *sys.stdlib_module_names}


def test_everything_is_imported_without_an_installed_package() -> None:
    """`-S` leaves out site-packages."""
    modules = ", ".join(f"deploy.{name.removesuffix('.py')}" for name in FILES if name != "__init__.py")
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import {modules}"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
