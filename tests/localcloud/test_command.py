"""`python -m localcloud` as a program of its own."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.address import Ports
from localcloud.cli.clients import environment
from tests.machine import ROOT
from tests.ports import free_offset


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """An empty folder with a copy of localcloud/."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "localcloud", tmp_path / "localcloud", ignore=ignored)
    return tmp_path


@pytest.fixture
def offset(alone: Path) -> Iterator[int]:
    """The port offset of `python -m localcloud up`, which runs in that folder."""
    offset = free_offset(lambda offset: Ports(offset).all)
    command = [sys.executable, "-m", "localcloud", "up", "--port-offset", str(offset)]
    with subprocess.Popen(command, cwd=alone, env=_environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = list(itertools.takewhile(lambda line: not line.startswith("Ctrl-C"), process.stdout))
        assert printed[0] == "The local cloud is up.\n"
        assert f"Cloud Tasks    127.0.0.1:{8124 + offset} (gRPC)  http://127.0.0.1:{8123 + offset}\n" in printed
        assert f'eval "$({sys.executable} -m localcloud env --port-offset {offset})"\n' in printed
        yield offset
        process.terminate()


def test_it_starts_from_a_copy_of_its_folder_and_nothing_else(alone: Path, offset: int) -> None:
    def shell(script: str) -> str:
        env = f'eval "$({sys.executable} -m localcloud env --port-offset {offset})"'
        done = subprocess.run(
            f"{env}; {script}", shell=True, cwd=alone, env=_environment(), capture_output=True, text=True, check=True
        )
        return done.stdout

    buckets = "$STORAGE_EMULATOR_HOST/storage/v1/b"
    made = shell(f"""curl -sS -X POST {buckets} -H 'content-type: application/json' -d '{{"name": "alone"}}'""")
    listed = shell(f"curl -sS --fail-with-body {buckets}?project=local-project")
    faults = shell(f"{sys.executable} -m localcloud fault list --port-offset {offset}")

    assert '"name": "alone"' in made
    assert '"name": "alone"' in listed
    assert faults == "no fault is planted\n"
    assert sorted(path.name for path in alone.iterdir()) == [".localcloud", "localcloud"]
    assert (alone / ".localcloud" / "localcloud.json").exists()


def test_env_points_programs_here_that_read_no_variable_of_google(tmp_path: Path) -> None:
    variables = environment(tmp_path, Ports(7))

    assert variables["CLOUDTASKS_EMULATOR_HOST"] == "127.0.0.1:8131"
    # gcsfs 2026.10 asks over gRPC unless it is switched off.
    assert variables["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] == "false"


def test_a_reader_that_ends_early_is_no_failure(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "localcloud", "env", "--data", str(tmp_path)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")


def _environment() -> dict[str, str]:
    """Without the project on the path of modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.lower().endswith("_proxy")}
