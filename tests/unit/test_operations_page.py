"""docs/operations.md has a row for each verdict, reason, state, outcome, alert, exit code and check of doctor."""

import re
from typing import get_args

import pytest

from cli.exits import Code
from cli.options import STATES
from deploy.doctor import CHECKS
from deploy.watching import ALERTS
from shared.console.reasons import REASONS
from shared.operations import backfill
from shared.operations.sweep_report import OUTCOMES
from shared.settings import ROOT
from shared.sweep_part import WINDOW_DAYS

PAGE = (ROOT / "docs" / "operations.md").read_text()


def rows(first: str) -> list[list[str]]:
    """The rows of the table whose head begins with this cell."""
    (table,) = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()]


def words(first: str) -> list[str]:
    """The words between backticks in the first cells of this table, in their order."""
    return [word for row in rows(first) for word in re.findall(r"`([^`]+)`", row[0])]


EXPECTED: dict[str, set[str]] = {
    "verdict": set(STATES),
    "reason": set(REASONS),
    "state": set(get_args(backfill.State)),
    "outcome": set(OUTCOMES),
    "alert": {path.stem.replace("-", " ") for path in (ROOT / ALERTS).glob("*.json")},
}


@pytest.mark.parametrize("table", EXPECTED)
def test_each_has_its_row_and_no_other(table: str) -> None:
    assert sorted(words(table)) == sorted(EXPECTED[table])


@pytest.mark.parametrize("alert", sorted(EXPECTED["alert"]))
def test_the_row_of_an_alert_chooses_the_files_that_its_notification_chooses(alert: str) -> None:
    """A file with a step that is dead, and others that succeeded, is partial."""
    (row,) = (row for row in rows("alert") if row[0] == f"`{alert}`")
    notification = (ROOT / ALERTS / f"{alert.replace(' ', '-')}.json").read_text()
    chosen = [set(re.findall(r"ls --verdict (\S+?)[` ]", text)) for text in (" ".join(row), notification)]

    assert chosen[0] == chosen[1] or not chosen[0]


def test_each_exit_code_has_its_row() -> None:
    assert [row[0] for row in rows("exit code")] == [str(int(code)) for code in Code]


def test_each_check_of_doctor_has_its_row_in_their_order() -> None:
    assert [row[0].lower() for row in rows("about")] == [check.__name__.strip("_").replace("_", " ") for check in CHECKS]


@pytest.mark.parametrize("table", [*EXPECTED, "exit code", "about"])
def test_no_cell_is_empty(table: str) -> None:
    found = rows(table)

    assert found
    assert all(len(row) == len(found[0]) and all(row) for row in found)


def test_the_window_of_sweeps_is_printed() -> None:
    assert f"later runs of the last {WINDOW_DAYS} days" in PAGE
    assert f"Sweeps look back {WINDOW_DAYS} days." in PAGE
