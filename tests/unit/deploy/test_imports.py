"""deploy/ runs where nothing is installed, and so do the parts of shared/ that it imports."""

import ast
import re
import subprocess
import sys
from types import ModuleType

import pytest

import deploy
from shared import operations
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


@pytest.mark.parametrize(("package", "cut"), [(deploy, ""), (operations, "backfill")])
def test_the_map_of_a_package_names_each_module(package: ModuleType, cut: str) -> None:
    """The map of operations has `_count` and `_pages` for the modules of backfills."""
    named = set(re.findall(r"\w+", str(package.__doc__)))
    modules = [path.stem.removeprefix(cut) or cut for path in ROOT.glob(f"{package.__name__.replace('.', '/')}/*.py")]

    assert [name for name in modules if name not in named | {"__init__"}] == []
