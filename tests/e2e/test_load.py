"""A small load by the program of `make load`: its counts are judged here, and no time of a busy machine."""

import subprocess
import sys

import pytest

from shared.settings import ROOT


@pytest.mark.long
def test_a_small_load_keeps_its_rates_and_loses_no_file() -> None:
    command = [sys.executable, "-m", "benchmarks.load", "--files", "100"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    rows = [line for line in done.stdout.splitlines() if line.startswith(("queue ", "verdicts "))]

    assert [row.split()[-1] for row in rows] == ["met"] * 4, done.stdout + done.stderr
    assert "720 succeeded, 0 lost, 0 twice" in rows[-1]
