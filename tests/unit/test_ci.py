"""CI runs every test: what `make test` leaves out, `make test-long` runs."""

import re

import pytest

from shared.settings import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def recipe(target: str) -> str:
    """The command of a target of the Makefile."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert found, f"the Makefile has no {target}"
    return found[1]


@pytest.mark.parametrize("target", ["check", "test COVERAGE=yes", "test-long"])
def test_ci_runs_it(target: str) -> None:
    assert f"\nmake {target}\n" in (ROOT / ".ci" / "run").read_text()


def test_both_targets_together_run_every_test() -> None:
    test, long = recipe("test"), recipe("test-long")

    assert test.count(" -m 'not long' ") == long.count(" -m long ") == 1
    assert test.replace(" -m 'not long' $(if $(COVERAGE),$(COUNTED))", "") == long.replace(" -m long", "")
