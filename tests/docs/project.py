"""A copy of the project, to which a page is applied as a reader would: files written, edits made, commands run.

"```python file=NAME" is the whole of a file, "```diff file=NAME" an edit of one, "```sh" is run. Other blocks are only read.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from shared.settings import ROOT
from tests.docs import blocks
from tests.docs.blocks import Block

#: Compiled modules are copied: they stay valid for the files that are not edited.
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv*", ".local*", ".deploy", ".*_cache", ".hypothesis", "results")


def copy(folder: Path) -> Path:
    """Copy the project into this new folder; it shares our virtual environment."""
    shutil.copytree(ROOT, folder, ignore=_NOT_COPIED)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def follow(page: Path, folder: Path) -> None:
    """Write, edit and run what the page prints, in its order. Raises `AssertionError` at the first step that fails."""
    for block in blocks.read(page):
        if block.file:
            _edit(folder / block.file, block)
        elif block.language == "sh":
            run(block.text, folder)


def change(page: Path, folder: Path) -> set[Path]:
    """Only write and edit, in this empty folder: what the page edits is copied there first. Gives the files."""
    changed = set()
    for block in blocks.read(page):
        if block.file:
            path, source = folder / block.file, ROOT / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            if source.exists() and not path.exists():
                shutil.copy(source, path)
            _edit(path, block)
            changed.add(path)
    return changed


def _edit(path: Path, block: Block) -> None:
    if block.language == "diff":
        path.write_text(patched(path.read_text(), block.text))
    else:
        assert not path.exists(), f"{path} exists already"
        path.write_text(block.text)


def patched(text: str, diff: str) -> str:
    """The text with this edit made. Its context and removed lines must occur exactly once."""
    lines = [line if line.strip() else " \n" for line in diff.splitlines(keepends=True)]
    before = "".join(line[1:] for line in lines if line[0] in " -")
    assert text.count(before) == 1, f"found {text.count(before)} times, not once:\n{before}"
    return text.replace(before, "".join(line[1:] for line in lines if line[0] in " +"))


def run(commands: str, folder: Path) -> str:
    """Run shell commands in this folder, as in a new shell, and return what they print. All must succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "SLUICE"))}
    environment["MYPY_CACHE_DIR"] = str(_mypy_cache(folder.parent.parent))
    shell = ["bash", "-euo", "pipefail", "-c", commands]
    done = subprocess.run(shell, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"{commands}\nended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def _mypy_cache(folder: Path) -> Path:
    """One cache for all copies, begun with that of `make check`: mypy mostly reads Google's clients."""
    cache, left = folder / "mypy-cache", ROOT / ".mypy_cache"
    if left.exists() and not cache.exists():
        shutil.copytree(left, cache)
    return cache
