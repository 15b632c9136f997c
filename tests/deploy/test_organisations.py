"""An organisation that refuses grants to strangers: up does all else, then says how to do without them."""

from dataclasses import dataclass

import pytest

from tests.deploy.project import HOME, SERVICES, UPLOADS, Deployed, Project, Run

UNCHECKED = "run.googleapis.com/invoker-iam-disabled"
OPEN = ("--allow-unauthenticated", "--no-invoker-iam-check")
#: Several runs of deploy.sh; tests/unit/deploy has the commands of each.
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Restricted:
    """The results of up with doors open, then without a check of their callers, twice; and after a drift."""

    refused: Run
    opened: Run
    again: Run
    repaired: Run


@pytest.fixture(scope="module")
def restricted(project: Project, deployed: Deployed) -> Restricted:
    """Some resources that come after the services in the list are missing."""
    project.bring_back(deployed.kept)
    (notification,) = [name for name in project.stub.world.resources if name.startswith(f"{UPLOADS}/notificationConfigs/")]
    (alert,) = [name for name, value in project.stub.world.resources.items() if "stalled queue" in value.get("displayName", "")]
    for name in (notification, alert, f"{HOME}/subscriptions/sluice-dispatcher"):
        project.stub.drift(name, None)
    project.stub.restrict()
    refused, opened, again = (
        project.run("up", OPEN[0], "--operators=user:ann@elsewhere.test"),
        project.run("up", OPEN[1], "--operators=", "--yes"),  # the services to open are kept
        project.run("up", *OPEN),
    )
    project.stub.drift(f"{SERVICES}upload", {"metadata": {"annotations": {UNCHECKED: None}}})
    return Restricted(refused, opened, again, project.run("up", *OPEN))


def unchecked(run: Run) -> set[str]:
    """The services that check no caller."""
    found = {name: value for name, value in run.state["resources"].items() if name.startswith(SERVICES)}
    return {
        name.removeprefix(SERVICES)
        for name, value in found.items()
        if value["metadata"]["annotations"].get(UNCHECKED, "false").lower() == "true"
    }


def test_all_else_is_done_before_the_refusal_is_explained(restricted: Restricted) -> None:
    resources = restricted.refused.state["resources"]

    assert restricted.refused.status == 1
    assert [name for name in resources if name.startswith(f"{UPLOADS}/notificationConfigs/")]
    assert f"{HOME}/subscriptions/sluice-dispatcher" in resources
    assert any("stalled queue" in value.get("displayName", "") for value in resources.values())


def test_the_refusal_names_the_grants_the_constraint_and_the_way_out(restricted: Restricted) -> None:
    complaints = restricted.refused.complaints.replace(" \\\n    ", " ")

    assert "constraint iam.allowedPolicyMemberDomains" in complaints
    for name in ("upload", "issuer"):
        assert f"  gcloud run services add-iam-policy-binding sluice-{name} " in complaints
    assert "--member=user:ann@elsewhere.test" in complaints
    assert "./deploy.sh up --no-invoker-iam-check" in complaints
    assert "changes, done" not in restricted.refused.printed


def test_a_refused_grant_is_asked_for_once(restricted: Restricted) -> None:
    asked = restricted.refused.asked("POST", "/services/sluice-upload:setIamPolicy")

    assert len(asked) == 1


def test_the_doors_open_without_a_grant_to_strangers(restricted: Restricted) -> None:
    assert restricted.opened.status == 0, restricted.opened.complaints
    assert unchecked(restricted.opened) == {"upload", "issuer"}
    assert "allUsers" not in str(restricted.opened.state["policies"])


def test_a_second_up_changes_nothing(restricted: Restricted) -> None:
    assert restricted.again.printed.startswith("0 changes: everything is as it should be.\n"), restricted.again.complaints


def test_a_door_that_was_closed_in_the_console_is_open_again(restricted: Restricted) -> None:
    assert restricted.repaired.status == 0, restricted.repaired.complaints
    assert unchecked(restricted.repaired) == {"upload", "issuer"}
    assert restricted.repaired.asked("PUT", "/services/sluice-upload")
    assert not restricted.repaired.asked("PUT", "/services/sluice-issuer")
