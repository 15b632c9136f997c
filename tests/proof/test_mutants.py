"""The checks find planted bugs."""

import pytest

from tests.proof import report, schedules
from tests.proof.mutants import MUTANTS
from tests.proof.planting import Mutant

#: Found out within a few runs: one bug of each kind (commit, repeats, notices).
SOME = ("manifest-overwritten", "found-is-left-alone", "skipped-ends-alone")
RUNS = 120


@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if mutant.name in SOME], ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    with mutant.planted():
        violations = (schedules.play(schedules.draw(number, "repeats")).violation for number in range(RUNS))

        assert any(violations)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_still_fits_the_code_and_leaves_no_trace(mutant: Mutant) -> None:
    before = {(edit.owner, edit.function): vars(edit.owner)[edit.function] for edit in mutant.edits}
    with mutant.planted():
        during = {key: vars(key[0])[key[1]] for key in before}

    assert all(during[key] is not before[key] for key in before)
    assert {key: vars(key[0])[key[1]] for key in before} == before


@pytest.mark.long
def test_every_planted_bug_is_found() -> None:
    assert report.mutants(400, MUTANTS) == []
