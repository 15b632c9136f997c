"""The line of `make up` by which another shell finds the stack."""

import shlex
from pathlib import Path

import pytest

from local import usage
from local.environment import DATA, client_environment
from localcloud.address import Ports


def test_another_shell_gets_the_pipeline_of_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_PIPELINE", "my own.toml")

    line = usage.env(tmp_path, 7)
    assert line.startswith(f"SLUICE_PIPELINE='{tmp_path}/my own.toml' ")
    assert line.endswith(f"/python -m local env --data {shlex.quote(str(tmp_path))} --port-offset 7")


def test_another_shell_gets_the_settings_that_this_one_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`./sluice sweep` there has the ceilings of the sweeper here."""
    monkeypatch.setenv("SLUICE_GUARD_RUNS_PER_OBJECT", "5000")
    monkeypatch.setenv("SLUICE_SWEEP_AFTER_SECONDS", "7")

    before = usage.env(DATA, 0).rpartition("/python")[0].rpartition(" ")[0]
    exported = client_environment(tmp_path, Ports(0))
    assert before == "SLUICE_SWEEP_AFTER_SECONDS=7 SLUICE_GUARD_RUNS_PER_OBJECT=5000"
    assert [exported[name] for name in ("SLUICE_SWEEP_AFTER_SECONDS", "SLUICE_GUARD_RUNS_PER_OBJECT")] == ["7", "5000"]


def test_without_one_the_line_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_PIPELINE", raising=False)

    line = usage.env(DATA, 0)
    assert line.endswith("/python -m local env")
    assert "=" not in line
