"""The storage testbench of the benchmark, from a clone."""

import sys
from pathlib import Path

import pytest

from benchmarks import testbench
from tests.eventually import eventually
from tests.ports import is_free, is_listening

#: As the testbench's, this program starts its server by its name, and waits for it.
RUN = """
import subprocess, sys
subprocess.run(["gunicorn", "-m", "http.server", "--bind", sys.argv[1], sys.argv[2]])
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a testbench that serves files."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "gunicorn"):
        (programs / name).symlink_to(sys.executable)
    (tmp_path / "testbench_run.py").write_text(RUN)
    return tmp_path


def test_it_runs_from_its_clone_and_ends_with_its_server(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(testbench.VARIABLE, str(clone))

    with testbench.running() as port:
        assert port
        assert is_listening(port)
    eventually(lambda: is_free(port), "the server to end")


def test_without_a_clone_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(testbench.VARIABLE, raising=False)

    with testbench.running() as port:
        assert port is None
