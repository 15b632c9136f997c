"""The budget: made, compared, made anew, deleted; without the rights for it, all else is done."""

import io
import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from deploy import budget
from deploy.answers import Json
from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import Command
from deploy.running import Runner, explain
from tests.unit.deploy.example import deployment

ACCOUNT = "billingAccounts/0-1-2"
#: As gcloud prints it.
BUDGET: Json = {
    "name": f"{ACCOUNT}/budgets/7",
    "displayName": "Sluice (sluice)",
    "amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "100"}},
    "budgetFilter": {"projects": ["projects/42"], "calendarPeriod": "MONTH", "creditTypesTreatment": "INCLUDE_ALL_CREDITS"},
    "thresholdRules": [{"thresholdPercent": percent, "spendBasis": "CURRENT_SPEND"} for percent in (1.0, 0.5, 0.9)],
}
CREATE = (
    "gcloud billing budgets create --billing-account=0-1-2 '--display-name=Sluice (sluice)' --budget-amount=100 "
    "--filter-projects=projects/42 --calendar-period=month --threshold-rule=percent=0.5 --threshold-rule=percent=0.9 "
    "--threshold-rule=percent=1.0"
)
DELETE = "gcloud billing budgets delete billingAccounts/0-1-2/budgets/7"


class Reading(Runner):
    """A runner that prints, and to whose looks these budgets answer; without any, the account's are not shown."""

    def __init__(self, *found: Json, account: str = ACCOUNT, is_denied: bool = False) -> None:
        self.output = io.StringIO()
        super().__init__(None, self.output)
        self._answers = {"projects": {"billingAccountName": account}, "budgets": list(found)}
        self._is_denied = is_denied

    def look(self, command: Command) -> "CompletedProcess[str]":
        if self._is_denied and command[1] == "budgets":
            return CompletedProcess(command, 1, "", "ERROR: PERMISSION_DENIED: The caller does not have permission")
        return CompletedProcess(command, 0, json.dumps(self._answers[command[1]]), "")

    @property
    def commands(self) -> list[str]:
        return self.output.getvalue().replace(" \\\n    ", " ").splitlines()


def enabled(folder: Path, **options: str) -> Deployment:
    it = deployment(folder, **options)
    it.state.apis = set(budget.APIS)
    return it


def test_a_budget_is_made_and_then_left_alone(tmp_path: Path) -> None:
    it, first, second = enabled(tmp_path, budget="100"), Reading(), Reading(BUDGET)
    budget.budget(it, first)
    budget.budget(it, second)

    assert first.commands == [CREATE]
    assert second.commands == []


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "100", "nanos": 5}}},
        {"amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "101"}}},
        {"budgetFilter": {"projects": ["projects/42", "projects/43"], "calendarPeriod": "MONTH"}},
        {"budgetFilter": {"projects": ["projects/42"], "calendarPeriod": "YEAR"}},
        {"thresholdRules": [{"thresholdPercent": 0.5}]},
        {"notificationsRule": {"monitoringNotificationChannels": ["channel"]}},
    ],
)
def test_a_budget_that_differs_is_made_anew(change: Json, tmp_path: Path) -> None:
    runner = Reading({**BUDGET, **change})
    budget.budget(enabled(tmp_path, budget="100"), runner)

    assert runner.commands == [CREATE, DELETE]


def test_another_currency_is_another_budget_and_none_takes_the_accounts(tmp_path: Path) -> None:
    dollars, euros = Reading(BUDGET), Reading(BUDGET)
    budget.budget(enabled(tmp_path, budget="100USD"), dollars)
    budget.budget(enabled(tmp_path, budget="100EUR"), euros)

    assert (len(dollars.commands), euros.commands) == (2, [])


def test_notices_go_to_the_channel_of_alerts_too(tmp_path: Path) -> None:
    it, runner = enabled(tmp_path, budget="100"), Reading(BUDGET)
    it.channel = "projects/demo-project/notificationChannels/1"
    budget.budget(it, runner)

    assert runner.commands[0].endswith("--notifications-rule-monitoring-notification-channels=" + it.channel)


def test_without_the_option_ours_is_deleted_and_no_other(tmp_path: Path) -> None:
    runner = Reading({**BUDGET, "name": "another", "displayName": "Sluice (sluice-eu)"}, BUDGET)
    budget.budget(enabled(tmp_path), runner)

    assert runner.commands == [DELETE]


def test_the_budget_of_another_project_of_the_billing_account_is_left_alone(tmp_path: Path) -> None:
    """Its deployment has the same prefix, hence its budget the same title."""
    other = {**BUDGET, "budgetFilter": {"projects": ["projects/43"], "calendarPeriod": "MONTH"}}
    none, ours = Reading(other), Reading(other)
    budget.budget(enabled(tmp_path), none)
    budget.budget(enabled(tmp_path, budget="100"), ours)

    assert (none.commands, ours.commands) == ([], [CREATE])


def test_a_budget_that_cannot_be_taken_back_is_not_forgotten(tmp_path: Path) -> None:
    it, runner = enabled(tmp_path), Reading(is_denied=True)
    it.kept = {"budget": "100"}
    budget.budget(it, runner)

    assert [note.partition(":")[0] for note in runner.unfinished] == ["budgets cannot be read"]


def test_of_two_that_are_right_one_stays(tmp_path: Path) -> None:
    runner = Reading({**BUDGET, "name": "another"}, BUDGET)
    budget.budget(enabled(tmp_path, budget="100"), runner)

    assert runner.commands == [DELETE]


@pytest.mark.parametrize("on", budget.APIS)
def test_down_asks_for_no_budget_while_an_api_is_off(on: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = deployment(tmp_path, "down")
    it.state.apis = {on}

    assert list(budget.removal(it)) == []
    assert capsys.readouterr().err == ""


def test_a_project_that_never_had_one_is_not_asked(tmp_path: Path) -> None:
    runner = Reading(is_denied=True)
    budget.budget(deployment(tmp_path), runner)

    assert (runner.commands, runner.unfinished) == ([], [])


def test_a_plan_enables_the_apis_first_and_names_the_account_that_it_cannot_know(tmp_path: Path) -> None:
    runner = Reading(is_denied=True)
    budget.budget(deployment(tmp_path, "plan", budget="100"), runner)

    assert runner.commands == [
        "gcloud services enable cloudbilling.googleapis.com billingbudgets.googleapis.com",
        CREATE.replace("=0-1-2", "=BILLING-ACCOUNT-OF-demo-project"),
    ]


def test_without_rights_all_else_is_done_and_the_end_says_what_is_missing(tmp_path: Path) -> None:
    runner = Reading(is_denied=True)
    budget.budget(enabled(tmp_path, budget="100"), runner)

    assert runner.commands == []
    with pytest.raises(Failed, match=r"(?s)all else is done.\n.*PERMISSION_DENIED.*roles/billing.costsManager"):
        explain(runner.left_out, runner.unfinished)


def test_a_plan_without_rights_notes_what_up_could_not_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = deployment(tmp_path, "plan", budget="100")
    it.state.apis = set(budget.APIS)
    budget.budget(it, Reading(is_denied=True))

    assert capsys.readouterr().err.startswith("note: budgets cannot be read: gcloud billing budgets list ")


def test_without_rights_and_without_the_option_nothing_is_missing(tmp_path: Path) -> None:
    runner = Reading(is_denied=True)
    budget.budget(enabled(tmp_path), runner)

    assert (runner.commands, runner.unfinished) == ([], [])


def test_a_project_that_nothing_pays_for_has_no_budget(tmp_path: Path) -> None:
    runner = Reading(account="")
    budget.budget(enabled(tmp_path, budget="100"), runner)

    assert runner.unfinished == ["there can be no budget: the project demo-project has no billing account"]


@pytest.mark.parametrize("amount", ["0", "-5", "100 EUR", "100.5", "EUR"])
def test_an_amount_that_is_none_is_refused(amount: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="--budget is"):
        deployment(tmp_path, budget=amount)
