"""The numbers of files and rounds of `make bench`: one that gives no figure is refused before anything runs."""

import os
import subprocess
import sys

import pytest

from benchmarks import numbers
from shared.settings import ROOT


def test_a_number_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert numbers.of("BENCH_FILES", 40) == 40
    monkeypatch.setenv("BENCH_FILES", "2")
    assert numbers.of("BENCH_FILES", 40, least=2) == 2


@pytest.mark.parametrize("given", ["0", "1", "-3", "2.5", "many", "²"])
def test_a_number_of_which_no_figure_can_be_made_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("BENCH_FILES", given)

    with pytest.raises(SystemExit, match=f"^BENCH_FILES is '{given}'; write a whole number, 2 or more$"):
        numbers.of("BENCH_FILES", 40, least=2)


@pytest.mark.parametrize(("variable", "given"), [("BENCH_LATENCY_FILES", "1"), ("BENCH_COST_FILES", "24")])
def test_make_bench_refuses_it_at_once(variable: str, given: str) -> None:
    command, environment = [sys.executable, "-m", "benchmarks"], os.environ | {variable: given}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{variable} is '{given}'; ")
