"""The hooks of .pre-commit-config.yaml: they pass on the project and find a planted fault, without a network."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.docs import project


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in a git repository of its own."""
    folder = project.copy(tmp_path_factory.mktemp("hooks") / "sluice")
    project.run("git init --quiet && git add --all", folder)
    return folder


def hooks(repository: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and output of pre-commit."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"PRE_COMMIT_HOME": str(repository.parent / "home"), "PIP_NO_INDEX": "1"}
    command = [".venv/bin/pre-commit", "run", "--color", "never", *arguments]
    done = subprocess.run(command, cwd=repository, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def test_the_hooks_pass_on_the_whole_project(repository: Path) -> None:
    status, output = hooks(repository, "--all-files")

    assert (status, "Skipped" in output) == (0, False), output


@pytest.mark.parametrize(
    ("name", "text", "hook"),
    [
        ("unused.py", "import os\n", "ruff"),
        ("spaced.py", "a  =  1\n", "ruff-format"),
        ("unquoted.sh", "#!/bin/sh\nrm $1\n", "shellcheck"),
        ("unended.md", "no newline", "end-of-file"),
        ("spaced.md", "a space \n", "trailing-whitespace"),
    ],
)
def test_a_hook_finds_a_planted_fault(repository: Path, name: str, text: str, hook: str) -> None:
    (repository / name).write_text(text)
    project.run(f"git add {name}", repository)
    status, output = hooks(repository, "--files", name)
    project.run(f"git rm --quiet -f --cached {name} && rm {name}", repository)

    assert (status, f"hook id: {hook}" in output) == (1, True), output
