"""Whom alerts tell: a channel of our own, beside those of others to the same address."""

from dataclasses import dataclass

import pytest

from tests.deploy.project import HOME, Deployed, Project, Run
from tests.deploy.stub.wire import Json

ADDRESS = "me@example.com"
FOREIGN = f"{HOME}/notificationChannels/foreign"
NEIGHBOUR = f"{HOME}/notificationChannels/neighbour"
BORROWER = f"{HOME}/alertPolicies/borrower"


@dataclass(frozen=True)
class Told:
    """up with an address, again, and down."""

    up: Run
    again: Run
    down: Run


@pytest.fixture(scope="module")
def told(project: Project, deployed: Deployed) -> Told:
    """Beside channels of others to the same address; an alert of somebody else's uses ours."""
    project.bring_back(deployed.kept)
    for name, title in ((FOREIGN, "On call"), (NEIGHBOUR, "Sluice (sluice-eu)")):
        channel = {"name": name, "displayName": title, "type": "email", "labels": {"email_address": ADDRESS}}
        project.stub.drift(name, channel)
    up, again = (project.run("up", "--notify", ADDRESS) for _ in range(2))
    project.stub.drift(BORROWER, {"name": BORROWER, "displayName": "Borrower", "notificationChannels": [own(up)]})
    return Told(up, again, project.run("down"))


def own(run: Run) -> str:
    channels: dict[str, Json] = {
        name: value for name, value in run.state["resources"].items() if "/notificationChannels/" in name
    }
    (found,) = [name for name, value in channels.items() if value["displayName"] == "Sluice (sluice)"]
    return found


def test_alerts_tell_a_channel_of_our_own(told: Told) -> None:
    alerts = [value for name, value in told.up.state["resources"].items() if "/alertPolicies/" in name]

    assert told.up.status == 0, told.up.complaints
    assert [alert["notificationChannels"] for alert in alerts] == [[own(told.up)]] * 4


def test_it_is_found_again(told: Told) -> None:
    assert told.again.printed == "0 changes: everything is as it should be.\n"


def test_down_leaves_the_channels_of_others_alone(told: Told) -> None:
    assert {FOREIGN, NEIGHBOUR} <= told.down.state["resources"].keys()
    touched = [line["path"] for line in told.down.mutations if "/notificationChannels/" in line["path"]]
    assert [path.rpartition("/")[2] for path in touched] == [own(told.up).rpartition("/")[2]]


def test_down_goes_on_when_somebody_elses_alert_uses_ours(told: Told) -> None:
    assert told.down.status == 0, told.down.complaints
    assert "note: it stays, since alerts of others name it" in told.down.complaints
    assert f"{HOME}/topics/sluice-uploads" not in told.down.state["resources"]
