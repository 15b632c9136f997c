"""Who may import whom, and who may read the environment: checked in every file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import ROOT
from tests.unit import source

MAX_ENTRY_POINT_LINES = 40
FOLDERS = ("shared", "functions", "cli", "local", "localcloud", "tests", "benchmarks")
#: Pure: no cloud, no request, no environment.
PURE = ("plan", "events", "model", "metadata", "naming", "capacity")
PURE_FOLDERS = ("shared/media/", "shared/processors/", "shared/routes/")
#: The only file of shared/ and functions/ that reads the environment.
READS_ENVIRONMENT = "shared/settings.py"
#: They speak to Google's services through shared/cloud only.
ASK_SHARED = ("shared/", "functions/", "cli/")
#: Only tests that kill a function in the middle of its work import one, to wrap it.
WRAPS_FUNCTIONS = "tests/e2e/"
OURS = frozenset({"shared", "functions", "cli", "local", "localcloud", "tests", "benchmarks", "deploy"})
#: The local cloud imports nothing of Sluice. The stack imports `shared` to check pipeline.toml as the functions do.
APART = {"localcloud": {"localcloud"}, "local": {"local", "localcloud", "shared"}, "cli": {"cli", "shared"}}


def files(*folders: str) -> list[str]:
    """Every Python file under these folders, as a path from the root."""
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def violations(path: str, text: str) -> list[str]:
    """The rules that this text breaks at this path, in words."""
    imported = sorted(set(_imports(text)))
    forbidden = [f"{path} imports {name}" for name in imported if not _may_import(path, name)]
    if path.startswith(("shared/", "functions/")) and path != READS_ENVIRONMENT and _reads_environment(text):
        forbidden.append(f"{path} reads the environment; only {READS_ENVIRONMENT} does")
    return forbidden


def _imports(text: str) -> Iterator[str]:
    """Modules, and what is taken from them: `from a import b` may mean the module a.b."""
    for node in source.statements(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def _may_import(path: str, name: str) -> bool:
    if name.startswith(".") or _within(name, "unittest.mock"):
        return False
    if _within(name, "functions"):
        return path.startswith(WRAPS_FUNCTIONS)
    if _is_pure(path) and any(_within(name, banned) for banned in ("google", "flask", "werkzeug", "requests", "shared.cloud")):
        return False
    if _within(name, "google.cloud") and path.startswith(ASK_SHARED) and not path.startswith("shared/cloud/"):
        return False
    folder = path.partition("/")[0]
    return folder not in APART or name.partition(".")[0] not in OURS - APART[folder]


def _within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _is_pure(path: str) -> bool:
    return path.startswith(PURE_FOLDERS) or path in [f"shared/{name}.py" for name in PURE]


def _reads_environment(text: str) -> bool:
    names = {"environ", "environb", "getenv", "getenvb", "putenv"}
    return any(name in text for name in names) and any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and any(alias.name in names for alias in node.names))
        for node in ast.walk(ast.parse(text))
    )


def test_every_file_keeps_to_its_arrows() -> None:
    assert [fault for path in files(*FOLDERS) for fault in violations(path, (ROOT / path).read_text())] == []


def test_the_files_are_really_found() -> None:
    found = files(*FOLDERS)

    assert {READS_ENVIRONMENT, "shared/pipeline.py", "functions/processor/main.py", "localcloud/cloud.py"} <= set(found)
    assert all((ROOT / f"shared/{name}.py").exists() for name in PURE)
    assert all((ROOT / folder / "__init__.py").exists() for folder in PURE_FOLDERS)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("shared/pipeline.py", "from google.cloud import storage"),
        ("shared/pipeline.py", "import google.cloud.storage as storage"),
        ("shared/pipeline.py", "from google import cloud"),
        ("functions/upload/main.py", "from google.cloud.storage import Client"),
        ("functions/upload/main.py", "def f():\n    from google.cloud import storage"),
        ("functions/upload/main.py", "from functions.issuer.main import issuer"),
        ("tests/functions/test_upload.py", "import functions.upload.main"),
        ("shared/model.py", "import flask"),
        ("shared/plan.py", "from flask import Request"),
        ("shared/routes/planning.py", "from shared.cloud.protocols import Cloud"),
        ("shared/events.py", "from google.protobuf import json_format"),
        ("shared/naming.py", "from google import auth"),
        ("shared/media/sniffing.py", "from shared import cloud"),
        ("shared/processors/new.py", "from shared.cloud.protocols import Cloud"),
        ("shared/processors/new.py", "import google.auth"),
        ("shared/processors/new.py", "import os\nos.environ['HOME']"),
        ("shared/cloud/storage.py", "from os import environ"),
        ("shared/web.py", "import os as system\nsystem.getenv('HOME')"),
        ("functions/upload/main.py", "from os import getenv as get"),
        ("local/stack.py", "from functions.upload import main"),
        ("local/demo.py", "import benchmarks.load"),
        ("localcloud/folder.py", "from shared.settings import ROOT"),
        ("localcloud/storage/service.py", "from functions import upload"),
        ("localcloud/cloud.py", "from local.stack import Stack"),
        ("local/demo.py", "from tests import machine"),
        ("tests/machine.py", "from unittest import mock"),
        ("tests/machine.py", "import unittest.mock"),
        ("shared/log.py", "from unittest.mock import Mock"),
        ("shared/processors/image.py", "from .registry import Draft"),
        ("cli/files.py", "from google.cloud import storage"),
        ("cli/files.py", "from local.stack import Stack"),
        ("local/command.py", "from cli import files"),
    ],
)
def test_a_planted_violation_is_seen(path: str, line: str) -> None:
    assert len(violations(path, line)) == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("shared/cloud/storage.py", "from google.cloud.storage import Client"),
        ("shared/processors/any.py", "import google_crc32c"),
        ("shared/identity.py", "from google.auth import jwt"),
        ("shared/settings.py", "import os\nos.environ"),
        ("localcloud/cli/clients.py", "import os\nfrom google.cloud import storage\nos.environ"),
        ("functions/upload/main.py", "import functions_framework\nfrom shared import cloud"),
        ("tests/machine.py", "import unittest\nfrom shared.model import File\nfrom localcloud.clock import Clock"),
        ("local/stack.py", "from localcloud.cloud import LocalCloud"),
        ("local/pipeline.py", "from shared import routes"),
        ("cli/files.py", "import os\nfrom shared.operations import listing\nos.environ"),
    ],
)
def test_an_allowed_import_is_not_a_violation(path: str, line: str) -> None:
    assert violations(path, line) == []


ENTRY_POINTS = sorted((ROOT / "functions").glob("*/main.py"))


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: path.parent.name)
def test_an_entry_point_is_short_and_has_one_public_function_named_as_its_folder(path: Path) -> None:
    text = path.read_text()

    functions = [node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert [name for name in functions if not name.startswith("_")] == [path.parent.name]
    assert len(text.splitlines()) <= MAX_ENTRY_POINT_LINES


def test_every_function_is_one_folder_with_a_main() -> None:
    folders = {path for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert folders == {path.parent for path in ENTRY_POINTS}
