"""A monthly budget: a notice to the billing account at 50, 90 and 100 % of an amount. It limits nothing."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any

from deploy import gcloud
from deploy.answers import from_json, numeric, parsed
from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import Command
from deploy.running import Runner

APIS = ("cloudbilling.googleapis.com", "billingbudgets.googleapis.com")
THRESHOLDS = (0.5, 0.9, 1.0)
GROUP = ["billing", "budgets"]
#: The ways to run a command that only reads.
Call = Callable[[Command], "CompletedProcess[str]"]


@dataclass(frozen=True)
class Budget:
    """A budget of a billing account."""

    title: str = from_json("displayName")
    units: float = numeric("amount", "specifiedAmount", "units")
    nanos: float = numeric("amount", "specifiedAmount", "nanos")
    currency: str = from_json("amount", "specifiedAmount", "currencyCode")
    projects: tuple[str, ...] = from_json("budgetFilter", "projects", read=lambda found: tuple(found or ()))
    period: str = from_json("budgetFilter", "calendarPeriod")
    thresholds: tuple[float, ...] = from_json(
        "thresholdRules", read=lambda found: tuple(sorted(float(rule.get("thresholdPercent", 0)) for rule in found or ()))
    )
    channels: tuple[str, ...] = from_json(
        "notificationsRule", "monitoringNotificationChannels", read=lambda found: tuple(found or ())
    )
    name: str = from_json("name", compare=False)


def budget(deployment: Deployment, runner: Runner) -> None:
    """The budget of --budget; without the option, an earlier one is deleted. Without the rights, all else is done."""
    amount = deployment.options.budget
    missing = [api for api in APIS if api not in deployment.state.apis]
    if missing and not amount:
        return
    if missing:
        runner.start([["services", "enable", *missing]])
        runner.wait()
    try:
        is_off = bool(missing) and deployment.options.command != "up"
        account, found = _planned(deployment) if is_off else _read(deployment, runner.look)
    except Failed as error:
        is_asked = amount or (deployment.kept or {}).get("budget")
        if is_asked and deployment.options.command == "up":
            runner.unfinished.append(str(error))
        elif is_asked:
            print(f"note: {error}", file=sys.stderr, flush=True)
        return
    for job in _changes(deployment, account, found):
        runner.start(job)


def removal(deployment: Deployment) -> Iterator[list[Command]]:
    """Delete the budget. Without the rights to look for one, a note says so."""
    if not all(api in deployment.state.apis for api in APIS):
        return
    try:
        _, found = _read(deployment, gcloud.call)
        yield from ([[*GROUP, "delete", one.name]] for one in found)
    except Failed as error:
        print(f"note: a budget is left, if there is one: {error}", file=sys.stderr, flush=True)


def _planned(deployment: Deployment) -> tuple[str, list[Budget]]:
    return f"BILLING-ACCOUNT-OF-{deployment.options.project}", []


def _read(deployment: Deployment, call: Call) -> tuple[str, list[Budget]]:
    """The project's billing account, and its budgets with our title for this project. Raises Failed.

    The account may pay for other projects, in which a deployment has the same prefix.
    """
    project = deployment.options.project
    account = str(_json(call, ["billing", "projects", "describe", project]).get("billingAccountName", "")).rpartition("/")[2]
    if not account:
        raise Failed(f"there can be no budget: the project {project} has no billing account")
    rows = _json(call, [*GROUP, "list", f"--billing-account={account}"])
    titled = [parsed(Budget, row) for row in rows if row.get("displayName") == deployment.title]
    return account, [found for found in titled if f"projects/{deployment.state.project_number}" in found.projects]


def _json(call: Call, command: Command) -> Any:
    done = call([*command, "--format=json"])
    if done.returncode:
        raise Failed(
            f"budgets cannot be read: {gcloud.shown(command)}\n  {done.stderr.strip()}\n"
            "  They take roles/billing.costsManager on the billing account and a look at the project's billing: have its "
            "administrator run up, or leave out --budget."
        )
    return json.loads(done.stdout or "[]")


def _changes(deployment: Deployment, account: str, found: list[Budget]) -> Iterator[list[Command]]:
    """Of several with our title the first that is right stays. One that differs is deleted once the new one is made."""
    amount = deployment.options.budget
    right = [one.name for one in found if amount and one == _wanted(deployment, one)][:1]
    delete: list[Command] = [[*GROUP, "delete", one.name] for one in found if one.name not in right]
    create = [] if right or not amount else [_create(deployment, account)]
    if job := [*create, *delete]:
        yield job


def _wanted(deployment: Deployment, found: Budget) -> Budget:
    """The budget as it should be, in the currency of `found` where the option names none."""
    amount = deployment.options.budget
    number, currency = (amount[:-3], amount[-3:]) if amount[-1].isalpha() else (amount, found.currency)
    projects, channels = (f"projects/{deployment.state.project_number}",), filter(None, [deployment.channel])
    return Budget(deployment.title, int(number), 0, currency, projects, "MONTH", THRESHOLDS, tuple(channels))


def _create(deployment: Deployment, account: str) -> Command:
    channels = [f"--notifications-rule-monitoring-notification-channels={deployment.channel}"] if deployment.channel else []
    return [
        *GROUP,
        "create",
        f"--billing-account={account}",
        f"--display-name={deployment.title}",
        f"--budget-amount={deployment.options.budget}",
        f"--filter-projects=projects/{deployment.state.project_number}",
        "--calendar-period=month",
        *(f"--threshold-rule=percent={threshold}" for threshold in THRESHOLDS),
        *channels,
    ]
