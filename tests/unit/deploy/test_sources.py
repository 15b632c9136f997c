"""The tag of the image changes with all that the image is made of."""

import shutil
from pathlib import Path

import pytest

from deploy.sources import FOLDERS, NAMED, tag
from shared.settings import ROOT


def test_extras_change_the_tag_whatever_their_order() -> None:
    assert len({tag(extras, "base") for extras in ("", "heic", "svg", "heic,svg")}) == 4
    assert tag("svg,heic", "base") == tag("heic,svg,heic", "base")


def test_the_base_changes_the_tag() -> None:
    assert tag("", "python:3.11-slim-bookworm") != tag("", "python@sha256:" + 64 * "0")


@pytest.mark.parametrize("name", ["Dockerfile", "requirements.lock", "extras/heic.lock", "shared/media.py"])
def test_a_source_changes_the_tag(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in NAMED:
        shutil.copy(ROOT / file, tmp_path / file)
    monkeypatch.chdir(tmp_path)
    before = tag("", "base")
    with (tmp_path / name).open("a") as file_:
        file_.write("# changed")

    assert tag("", "base") != before
