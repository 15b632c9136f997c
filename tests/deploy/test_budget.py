"""--budget with the real gcloud: made, left alone, refused, deleted."""

from dataclasses import dataclass

import pytest

from tests.deploy.project import Deployed, Project, Run
from tests.deploy.stub.apis.budgets import FOLDER
from tests.deploy.stub.wire import Json
from tests.deploy.stub.world import NUMBER

#: Several runs of deploy.sh; tests/unit/deploy/test_budget.py has the commands.
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Paid:
    """The results of plan, up, up again, up without the right to look, up with another amount, and down."""

    plan: Run
    first: Run
    second: Run
    denied: Run
    dearer: Run
    down: Run


@pytest.fixture(scope="module")
def paid(project: Project, deployed: Deployed) -> Paid:
    project.bring_back(deployed.kept)
    plan, first, second = (project.run(command, "--budget", "100") for command in ("plan", "up", "up"))
    project.stub.fault(r"GET billingbudgets.*/budgets", code=403, n=9, message="The caller does not have permission")
    denied = project.run("up", "--budget", "100")
    project.stub.faults.clear()
    return Paid(plan, first, second, denied, project.run("up", "--budget", "200USD"), project.run("down"))


def budgets(run: Run) -> list[Json]:
    return [value for name, value in run.state["resources"].items() if name.startswith(FOLDER)]


def test_a_plan_shows_the_budget_and_up_makes_it(paid: Paid) -> None:
    (made,) = budgets(paid.first)

    assert (paid.plan.status, paid.plan.mutations, paid.first.status) == (0, [], 0), paid.first.complaints
    assert "--billing-account=BILLING-ACCOUNT-OF-demo-project" in paid.plan.printed
    assert made["displayName"] == "Sluice (sluice)"
    assert made["amount"]["specifiedAmount"] == {"currencyCode": "USD", "units": "100", "nanos": 0}
    assert (made["budgetFilter"]["projects"], made["budgetFilter"]["calendarPeriod"]) == ([f"projects/{NUMBER}"], "MONTH")
    assert [rule["thresholdPercent"] for rule in made["thresholdRules"]] == [0.5, 0.9, 1.0]


def test_a_second_up_changes_nothing(paid: Paid) -> None:
    assert paid.second.printed.startswith("0 changes: "), paid.second.printed


def test_without_the_right_up_says_at_the_end_what_is_missing(paid: Paid) -> None:
    assert (paid.denied.status, paid.denied.mutations) == (1, [])
    assert "all else is done" in paid.denied.complaints
    assert "roles/billing.costsManager" in paid.denied.complaints


def test_another_amount_is_another_budget_and_down_deletes_it(paid: Paid) -> None:
    assert [one["amount"]["specifiedAmount"]["units"] for one in budgets(paid.dearer)] == ["200"]
    assert paid.down.status == 0, paid.down.complaints
    assert budgets(paid.down) == []
