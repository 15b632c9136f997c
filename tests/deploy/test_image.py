"""The image, without Docker: its files, and that every function starts from it and answers."""

import importlib.metadata
import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy import lock
from deploy.errors import Failed
from deploy.image import substitutions
from deploy.options import Options
from shared.processors.extras import EXTRAS
from shared.settings import ROOT
from tests import image as building
from tests.deploy.project import Deployed
from tests.deploy.stub.proxy import Stub
from tests.deploy.stub.world import PROJECT
from tests.first_requests import Customer, answered, started
from tests.image import Image
from tests.machine import Machine, running, variables
from tests.ports import free_port
from tests.unit.deploy.example import deployment

#: Files of requirements that have a lock.
LOCKED = ["requirements.txt", *(f"extras/{name}.txt" for name in sorted(EXTRAS))]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
#: The two that import most: what these start with is enough for the others.
SHORT = ("console", "processor")
#: Files that may reach the image and Cloud Build.
ALLOWED_FILES = {"Dockerfile", ".dockerignore", "requirements.lock", "pipeline.toml"}
#: Files of the console's pages, with the note about what is vendored.
OF_PAGES = {".html", ".css", ".js", ".svg", ".md"}
ALLOWED_FOLDERS = {"functions", "shared", "extras"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return building.build(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    with running(Machine(tmp_path_factory.mktemp("cloud"), cloud_only=True)) as machine:
        with variables({"SLUICE_PIPELINE": str(ROOT / "pipeline.toml")}):  # the image's, whatever other tests have set
            machine.create_resources()
        yield Customer(machine)


@pytest.mark.parametrize("name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in FUNCTIONS])
def test_a_function_starts_from_the_image_and_answers(name: str, image: Image, customer: Customer, tmp_path: Path) -> None:
    before, port, request = image.files(), free_port(), customer.of(name)
    service = {"FUNCTION_TARGET": name, "FUNCTION_SOURCE": f"functions/{name}/main.py", "PORT": str(port), "THREADS": "4"}
    environment = image.environment(customer.environment | service | {"PYTHONDONTWRITEBYTECODE": "1"})

    with started(image.command, image.folder, environment, tmp_path / "log") as process:
        status = answered(process, f"http://127.0.0.1:{port}", request)

    assert status == request.status, (tmp_path / "log").read_text()
    assert image.files() == before, "a function must write nothing beside itself"


def test_the_image_runs_the_functions_framework_without_root() -> None:
    last = dict(building.instructions(ROOT / "Dockerfile"))

    assert last["CMD"] == '["functions-framework"]'
    assert last["USER"].split(":")[0] not in ("root", "0")
    assert "requirements-dev" not in (ROOT / "Dockerfile").read_text()


def test_only_what_the_functions_run_with_reaches_the_image(image: Image) -> None:
    assert {path for path in image.files() if not path.startswith(("shared/", "functions/", "extras/"))} == {
        "requirements.lock",
        "pipeline.toml",
    }
    assert {path.suffix for path in map(Path, image.files())} == {".py", ".txt", ".lock", ".toml", *OF_PAGES}


def test_requirements_name_all_that_the_packages_need() -> None:
    pins = building.requirements()
    for name in pins:
        for line in importlib.metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                wanted = building.normalised(needed.name)
                assert wanted in pins, f"{name} needs {needed.name}, which requirements.txt does not pin"
                assert needed.specifier.contains(pins[wanted]), f"{name} needs {needed}, pinned is {pins[wanted]}"


def test_docker_is_shown_nothing_that_is_not_named(tmp_path: Path) -> None:
    shown = {str(path) for path in building.context()}

    assert shown
    assert {path for path in shown if path.split("/")[0] not in ALLOWED_FOLDERS} <= ALLOWED_FILES
    assert not any("__pycache__" in path for path in shown)


def test_the_uploaded_archive_holds_the_sources_and_nothing_else(
    stub: Stub, gcloud_environment: dict[str, str], tmp_path: Path
) -> None:
    project = _littered_copy(tmp_path / "project")
    stub.enable("cloudbuild", "artifactregistry")
    flag = substitutions(deployment(tmp_path, "up", extras="heic,svg"))
    command = ["gcloud", "builds", "submit", str(project), "--config", str(_build_file(tmp_path)), flag]
    done = subprocess.run(command, env=gcloud_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    (archive,) = stub.world.contents.values()
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        members = {member.name.removeprefix("./") for member in opened.getmembers() if member.isfile()}
    assert members == {
        *ALLOWED_FILES,
        *(
            str(path.relative_to(ROOT))
            for folder in ALLOWED_FOLDERS
            for path in (ROOT / folder).rglob("*")
            if path.suffix in {".py", ".txt", ".lock", *OF_PAGES}
        ),
    }
    (build,) = stub.world.under(f"projects/{PROJECT}/builds/")
    (_, script) = build["steps"][1]["args"]
    assert '--build-arg "EXTRAS=heic,svg"' in script
    assert f"--tag {build['substitutions']['_IMAGE']} ." in script


@pytest.mark.parametrize(
    ("extras", "files"), [("", []), ("heic", ["heic"]), ("heic,svg", ["heic", "svg"]), ("svg heic", ["svg", "heic"])]
)
def test_the_image_installs_the_extras_of_its_build(extras: str, files: list[str], tmp_path: Path) -> None:
    (command,) = [rest for word, rest in building.instructions(ROOT / "Dockerfile") if rest.startswith("pip install")]
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\necho "$@"\n')
    pip.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "EXTRAS": extras}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)

    assert re.findall(r"-r (\S+)", done.stdout) == ["requirements.lock", *(f"extras/{name}.lock" for name in files)]
    assert "--require-hashes" in done.stdout.split()


def test_up_prints_the_digest_of_the_base_image_that_it_built_on(deployed: Deployed) -> None:
    said = re.findall(r"^built on (\S+); --base-image (\S+) builds", deployed.first.printed, re.MULTILINE)

    assert len(said) == 1
    assert said[0][0] == said[0][1]
    assert re.fullmatch(r"python@sha256:[0-9a-f]{64}", said[0][0])
    assert "\nbuilt on" not in deployed.plan.printed + deployed.second.printed


def test_the_base_image_of_the_option_is_pulled_and_built_on(tmp_path: Path) -> None:
    base = "python@sha256:" + 64 * "a"

    assert substitutions(deployment(tmp_path, base_image=base)).endswith(f";_BASE={base}")
    with pytest.raises(Failed, match="--base-image is 'python:'"):
        deployment(tmp_path, base_image="python:")


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_of_the_image_is_locked_by_its_hash(name: str) -> None:
    """`make lock` writes the locks from the pins: it was forgotten after a change where this fails."""
    pins = [Requirement(line) for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    lines = [line for line in (ROOT / name).with_suffix(".lock").read_text().splitlines() if not line.startswith("#")]
    locked = [re.fullmatch(r"(\S+==\S+) --hash=sha256:[0-9a-f]{64}", line) for line in lines]

    assert [line and line[1] for line in locked] == [f"{pin.name}{pin.specifier}" for pin in pins]
    assert len({line[-64:] for line in lines}) == len(lines)
    on_cloud_run = {"sys_platform": "linux", "platform_machine": "x86_64"}
    assert [pin.name for pin in pins if pin.marker and not pin.marker.evaluate(on_cloud_run)] == []


def test_locks_are_for_the_python_and_the_debian_of_the_image() -> None:
    (python, debian) = re.fullmatch(r"python:(3\.\d+)-slim-(\w+)", Options("up").base_image).groups()  # type: ignore[union-attr]

    assert (python, debian) == (lock.PYTHON, "bookworm"), "bookworm has glibc 2.36"
    assert lock.PLATFORMS[0] == "manylinux_2_36_x86_64"
    assert dict(building.instructions(ROOT / "Dockerfile"))["FROM"] == "$BASE"
    assert f"ARG BASE={Options('up').base_image}\n" in (ROOT / "Dockerfile").read_text()


def _littered_copy(project: Path) -> Path:
    """The project as a developer has it: with tests, caches, secrets and notes lying about."""
    project.mkdir()
    for name in ("Dockerfile", ".dockerignore", ".gcloudignore", "requirements.lock", "pipeline.toml", "README.md"):
        shutil.copy(ROOT / name, project / name)
    for name in ALLOWED_FOLDERS:
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for litter in (
        "shared/__pycache__/web.pyc",
        "tests/test.py",
        ".git/config",
        ".venv/x.py",
        "key.json",
        ".env",
        "functions/x.pyc",
    ):
        (project / litter).parent.mkdir(parents=True, exist_ok=True)
        (project / litter).write_text("litter")
    return project


def _build_file(folder: Path) -> Path:
    """The steps of the real one: nothing is pushed, as there is no repository."""
    path = folder / "cloudbuild.yaml"
    steps = (ROOT / "deploy" / "cloudbuild.yaml").read_text().partition("images:")[0]
    path.write_text(f"{steps}\noptions: {{logging: NONE}}\n")
    return path
