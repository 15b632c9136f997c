"""The tag of the image changes with all that the image is made of."""

import shutil
from pathlib import Path

import pytest

from deploy.sources import FOLDERS, NAMED, tag
from shared.settings import ROOT


def test_extras_change_the_tag_whatever_their_order() -> None:
    assert len({tag(extras) for extras in ("", "heic", "svg", "heic,svg")}) == 4
    assert tag("svg,heic") == tag("heic,svg,heic")


@pytest.mark.parametrize("name", ["Dockerfile", "extras/heic.txt", "shared/media.py"])
def test_a_source_changes_the_tag(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in NAMED:
        shutil.copy(ROOT / file, tmp_path / file)
    monkeypatch.chdir(tmp_path)
    before = tag("")
    with (tmp_path / name).open("a") as file_:
        file_.write("# changed")

    assert tag("") != before
