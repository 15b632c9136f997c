"""Extras: their requirements, their installation by make, and CI, which has them all."""

import importlib.metadata
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.processors import extras
from shared.settings import ROOT


@pytest.mark.skipif(not os.environ.get("CI"), reason="only CI needs every extra: make setup EXTRAS=heic,media,svg")
def test_ci_has_every_extra() -> None:
    assert extras.installed() == sorted(extras.EXTRAS), "in .ci/run, make setup names every extra"


def test_every_extra_has_its_requirements() -> None:
    assert {path.stem for path in (ROOT / "extras").iterdir()} == set(extras.EXTRAS)
    assert f"make setup EXTRAS={','.join(sorted(extras.EXTRAS))}\n" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("name", extras.EXTRAS)
def test_what_is_installed_is_what_is_pinned(name: str) -> None:
    if not extras.is_installed(name):
        pytest.skip(extras.remedy(name))
    pins = dict(re.findall(r"^([a-z-]+)==(.+)$", (ROOT / "extras" / f"{name}.txt").read_text(), re.MULTILINE))

    assert {package: importlib.metadata.version(package) for package in pins} == pins
    provided = importlib.metadata.packages_distributions()
    assert {package.replace("_", "-") for module in extras.EXTRAS[name] for package in provided[module]} <= set(pins)


class Project:
    """A copy of the Makefile and the requirements, whose Python only notes what it is asked to install."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "extras", folder / "extras")
        python = folder / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text('#!/bin/sh\nfor word; do last=$word; done\necho "$last" >> noted\n')
        (python.parent / "gsutil").write_text("#!/bin/sh\n")
        for program in python.parent.iterdir():
            program.chmod(0o755)

    def make(self, *arguments: str) -> tuple[int, list[str], str]:
        """The status of this command, the files of requirements that it installs, and its errors."""
        environment = {"PATH": f"{self.folder / '.venv' / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["make", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        noted = self.folder / "noted"
        installed = noted.read_text().split() if noted.exists() else []
        noted.unlink(missing_ok=True)
        return done.returncode, installed, done.stderr


def test_extras_are_installed_once_and_stay(tmp_path: Path) -> None:
    project = Project(tmp_path)

    assert project.make("setup") == (0, ["requirements-dev.txt"], "")
    assert project.make("setup", "EXTRAS=heic,media,svg") == (0, ["extras/heic.txt", "extras/media.txt", "extras/svg.txt"], "")
    assert project.make("setup", "EXTRAS=svg") == (0, [], "")
    assert project.make("setup") == (0, [], "")

    for path in tmp_path.rglob("*"):
        os.utime(path, (0, path.stat().st_mtime - 10))
    (tmp_path / "extras" / "heic.txt").touch()
    assert project.make("setup") == (0, ["extras/heic.txt"], ""), "an extra that is installed keeps up with its pins"


def test_an_unknown_extra_is_refused(tmp_path: Path) -> None:
    status, installed, complaints = Project(tmp_path).make("setup", "EXTRAS=raw")

    assert (status, "extras/raw.txt" in installed) == (2, False)
    assert "raw is no extra; write EXTRAS=heic,media,svg\n" in complaints
