"""The image: built once for its sources, named by its digest, with a flag that keeps extras together."""

import io
from pathlib import Path

import pytest

from deploy import image
from deploy.gcloud import Command
from deploy.running import Runner
from tests.unit.deploy.example import deployment

PLACE = "us-central1-docker.pkg.dev/demo-project/sluice"


class Building(Runner):
    """A runner whose builds print this."""

    def __init__(self, printed: str) -> None:
        super().__init__(None, io.StringIO())
        self.asked: list[Command] = []
        self._printed = printed

    def ask(self, command: Command, planned: str) -> str:
        self.asked.append(command)
        return self._printed or planned


def test_an_image_of_these_sources_is_not_built_again(tmp_path: Path) -> None:
    it, runner = deployment(tmp_path), Building("sha256:b")
    it.state.digest = "sha256:a"
    image.image(it, runner)

    assert (it.image, runner.asked) == (f"{PLACE}/functions@sha256:a", [])


def test_a_build_prints_the_base_that_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it, runner = deployment(tmp_path), Building("sha256:b\tpython@sha256:c")
    image.image(it, runner)

    assert (it.image, len(runner.asked)) == (f"{PLACE}/functions@sha256:b", 1)
    assert capsys.readouterr().out == "built on python@sha256:c; --base-image python@sha256:c builds on the same bytes again\n"


def test_a_plan_names_the_digest_to_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = deployment(tmp_path, "plan")
    image.image(it, Building(""))

    assert (it.image, capsys.readouterr().out) == (f"{PLACE}/functions@DIGEST-OF-TAG", "")


def test_several_extras_are_one_substitution(tmp_path: Path) -> None:
    it, runner = deployment(tmp_path, extras="heic,svg"), Building("sha256:b")
    image.image(it, runner)

    flag = f"--substitutions=^;^_IMAGE={PLACE}/functions:TAG;_EXTRAS=heic,svg;_BASE=python:3.11-slim-bookworm"
    assert flag in runner.asked[0]
