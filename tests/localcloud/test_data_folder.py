"""A data folder has one cloud at a time, and whoever is refused is told what to do instead."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.machine import ROOT, Machine, running


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(Machine(tmp_path_factory.mktemp("first"), cloud_only=True)) as machine:
        yield machine


def local(command: str, data: Path, offset: int) -> subprocess.CompletedProcess[str]:
    """`python -m local` to its end."""
    arguments = [sys.executable, "-m", "local", command, "--data", str(data), "--port-offset", str(offset)]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", ["up", "demo", "reset"])
def test_a_folder_in_use_is_left_alone(machine: Machine, command: str) -> None:
    buckets = f"{machine.environment['STORAGE_EMULATOR_HOST']}/storage/v1/b"
    before = requests.get(buckets, timeout=5).json()
    done = local(command, machine.data, machine.offset + 500)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {machine.data} is in use by the local cloud of process {machine.pid}; stop that one, "
        "or let this one have its own folder and ports: --data FOLDER --port-offset 1000\n"
    )
    assert requests.get(buckets, timeout=5).json() == before


def test_a_port_in_use_is_named(machine: Machine, tmp_path: Path) -> None:
    done = local("up", tmp_path, machine.offset)

    assert (done.returncode, done.stdout) == (1, "")
    assert "(Cloud Storage) is in use; stop what holds it, or move every port: --port-offset 1000" in done.stderr


def test_a_folder_is_free_again_once_its_cloud_is_gone(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "data", cloud_only=True)
    with running(machine):
        machine.kill()
        machine.start()

    assert local("reset", machine.data, 0).stdout == f"deleted {machine.data}\n"
    assert not machine.data.exists()
