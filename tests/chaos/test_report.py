"""The table of `make chaos`, and its exit status."""

from pathlib import Path

import pytest

from tests.chaos.__main__ import shown
from tests.chaos.checker import Findings
from tests.chaos.ledger import Entry, Ledger
from tests.chaos.report import SHOWN, violations
from tests.chaos.run import Outcome

UPLOAD = Entry("ya/text-1.txt", 7, "AAAAAA==", "text", "0123456789abcdef", "to_bucket")


def outcome(**findings: list[str]) -> Outcome:
    ledger = Ledger([UPLOAD] * 30, {(UPLOAD.name, UPLOAD.generation): "overwritten"})
    found = Outcome(30, 4711, ledger=ledger, findings=Findings(**findings), attempts=45, drain_seconds=2.5)
    found.kills.update({"upload": 2, "local cloud": 3})
    return found


def test_a_run_without_loss_prints_its_bound_and_deletes_its_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    data.mkdir()

    assert shown(outcome(), data) == 0
    printed = capsys.readouterr().out
    rows = {line[:22].strip(): line[22:].strip() for line in printed.splitlines()}
    assert rows["seed"] == "4711"
    assert rows["files"] == "30; 30 generations were acknowledged"
    assert rows["by fate"] == "overwritten 30"
    assert rows["notifications"] == "lost 30"
    assert rows["kills"] == "5: local cloud 3, upload 2"
    assert (rows["lost"], rows["conflicting"], rows["notices before commit"]) == ("0", "0", "0")
    assert rows["attempts"].startswith("1.50 ")
    assert rows["drain time"].startswith("2.5 s ")
    assert rows["95 % bound"].startswith("fewer than 10.000% ")
    assert not data.exists()


@pytest.mark.parametrize("kind", ["lost", "conflicting", "early"])
def test_a_violation_of_any_kind_is_printed_with_the_place_of_the_data(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(outcome(**{kind: ["what it was"]}), tmp_path) == 1
    printed = capsys.readouterr().out
    assert f"{kind.upper()} what it was" in printed
    assert f"stay in {tmp_path}" in printed
    assert "95 % bound" not in printed
    assert tmp_path.exists()


def test_of_many_violations_the_first_are_printed() -> None:
    lines = violations(Findings(lost=[str(number) for number in range(SHOWN + 5)])).splitlines()

    assert len(lines) == SHOWN + 1
    assert lines[-1] == "LOST … and 5 more"
