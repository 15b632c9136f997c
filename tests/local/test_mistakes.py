"""A user's mistake ends a command with one clear error and status 1, before anything starts."""

import os
import shutil
import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from local import pipeline
from local.services import all_ports
from localcloud.address import Ports
from localcloud.cli.command import port_offset
from localcloud.errors import CannotRun
from tests.machine import ROOT
from tests.ports import free_offset

PIPELINE = """# The first line.
[queues.images]
max_dispatches_per_second = 50
max_concurrent_dispatches = 20
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300
[steps.digest]
processor = "any.digest"
queue = "images"
[[routes]]
content_type = "*/*"
name = "**"
steps = ["digest"]
"""


def run(*arguments: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m local …` to its end."""
    command = [sys.executable, "-m", "local", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("right", "wrong", "error"),
    [
        ("attempts = 5", "attempts = 500", ": queues.images.attempts: 500 is not allowed; write a whole number from 1 to 99"),
        ("attempts = 5", "", ": queues.images.attempts"),
        ('processor = "any.digest"', 'processor = "any.sum"', ": steps.digest.processor: 'any.sum'"),
        ('queue = "images"', 'queue = "pictures"', ": steps.digest.queue: 'pictures'"),
        ("[queues.images]", "[queues.images", "line 2"),
    ],
)
def test_a_mistake_in_pipeline_toml_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str, error: str
) -> None:
    assert right in PIPELINE
    file = tmp_path / "pipeline.toml"
    file.write_text(PIPELINE.replace(right, wrong, 1))
    monkeypatch.setenv("SLUICE_PIPELINE", str(file))
    with pytest.raises(CannotRun) as refusal:
        pipeline.load()

    assert str(refusal.value).startswith(str(file))
    assert error in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_missing_pipeline_toml_is_named(tmp_path: Path, command: str) -> None:
    done = run(command, "--data", str(tmp_path / "data"), SLUICE_PIPELINE=str(tmp_path / "none.toml"))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {tmp_path}/none.toml: not found; set SLUICE_PIPELINE to the path of a pipeline.toml\n"
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what `python -m local up` runs."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("local", "localcloud", "shared", "functions"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pipeline.toml", copy)
    return copy


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("import no_such_package", "line 1: ModuleNotFoundError: No module named 'no_such_package'"),
        pytest.param("undefined", "line 1: NameError: name 'undefined' is not defined", marks=pytest.mark.long),
        pytest.param("def broken(:", "line 1: SyntaxError: invalid syntax", marks=pytest.mark.long),
    ],
)
def test_a_processor_that_cannot_be_imported_is_named(project: Path, line: str, error: str) -> None:
    module = project / "shared" / "processors" / "any.py"
    text = module.read_text()
    module.write_text(f"{line}\n{text}")
    done = run("up", "--data", str(project / "data"), folder=project)
    module.write_text(text)

    assert (done.returncode, done.stdout) == (1, "")
    where = f"error: {project}/pipeline.toml: steps.digest.processor: cannot import shared/processors/any.py, "
    assert done.stderr.startswith(where + error)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("offset", [-8080, 56_093, 99_999])
def test_an_offset_that_moves_a_port_out_of_range_is_refused(offset: int) -> None:
    parse = port_offset(all_ports(Ports()))
    with pytest.raises(ArgumentTypeError, match=f"{offset} is out of range: ports go from 1 to 65535; use -8079 to 56092"):
        parse(str(offset))

    assert [parse("-8079"), parse("0"), parse("56092")] == [-8079, 0, 56_092]


@pytest.mark.parametrize("command", ["up", "fault list"])
def test_a_command_refuses_such_an_offset(tmp_path: Path, command: str) -> None:
    done = run(*command.split(), "--data", str(tmp_path / "data"), "--port-offset", "99999")

    assert (done.returncode, done.stdout) == (2, "")
    assert "error: argument --port-offset: 99999 is out of range" in done.stderr


@pytest.mark.parametrize("origins", ["*", "http://localhost:3000/", "localhost:3000"])
def test_an_origin_that_no_browser_sends_is_named_with_a_right_one(origins: str) -> None:
    done = run("up", "--origins", origins)

    assert done.returncode == 2
    assert f"the list has {origins!r}; write each as browsers send it, such as https://app.example" in done.stderr


def test_an_offset_must_be_a_number(tmp_path: Path) -> None:
    done = run("up", "--data", str(tmp_path), "--port-offset", "x")

    assert (done.returncode, done.stdout) == (2, "")
    assert "argument --port-offset: invalid offset value: 'x'" in done.stderr


def test_files_are_sent_only_to_a_running_stack(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("data")
    offset = free_offset(lambda offset: all_ports(Ports(offset)))
    done = run("hostile", str(tmp_path), "--port-offset", str(offset))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: no stack runs on port {9000 + offset}; start it in another terminal: ")
    assert done.stderr.endswith(f"/python -m local up --port-offset {offset}\n")


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    done = run("hostile", str(tmp_path))

    assert (done.returncode, done.stderr) == (1, f"error: {tmp_path} holds no file; name a folder with files to send\n")
