"""A short `make chaos`: every fault at least once, and no loss."""

from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.fleet import CLOUD
from tests.chaos.run import play

FILES, KILLS, SEED = 60, 12, 3


@pytest.mark.long
def test_no_file_is_lost_while_components_are_killed(tmp_path: Path) -> None:
    outcome = play(FILES, KILLS, SEED, tmp_path)

    assert not outcome.findings, report.violations(outcome.findings)
    assert len(outcome.ledger.entries) >= FILES
    assert outcome.kills.total() >= KILLS
    assert outcome.kills[CLOUD]
    assert {"overwritten", "deleted"} == set(outcome.ledger.fates.values())
    assert outcome.done["purged tasks"]
    assert outcome.done["jobs queued by sweeps"]
    assert f"{'lost':<22} 0" in report.table(outcome)
