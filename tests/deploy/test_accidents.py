"""Mistakes made in the console: one up repairs them."""

from dataclasses import dataclass

import pytest

from tests.deploy.project import HOME, PLACE, SECRETS, SERVICES, UPLOADS, Deployed, Project, Run
from tests.deploy.stub.wire import Json

SUBSCRIPTION = f"{HOME}/subscriptions/sluice-dispatcher"
INGRESS = "run.googleapis.com/ingress"
UNGUARDED = "run.googleapis.com/invoker-iam-disabled"
ADDRESS = "me@example.com"
FOREIGN = f"{HOME}/notificationChannels/foreign"
NEIGHBOUR = f"{HOME}/notificationChannels/neighbour"
#: All that has the label of bills, but for the issuer, which differs in other ways too.
LABELLED = [UPLOADS, f"{HOME}/topics/sluice-uploads", f"{HOME}/subscriptions/sluice-completions", f"{SERVICES}status"]
LABELLED += [f"{SECRETS}sluice-keys", f"{PLACE}/repositories/sluice"]
BORROWER = f"{HOME}/alertPolicies/borrower"
#: Several runs of deploy.sh; test_up.py, test_drift.py and test_down.py play the same commands in fewer.
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Mended:
    """The results of up, up again and down."""

    up: Run
    again: Run
    down: Run


@pytest.fixture(scope="module")
def mended(project: Project, deployed: Deployed) -> Mended:
    project.bring_back(deployed.kept)
    project.stub.drift(SUBSCRIPTION, {"topic": "_deleted-topic_"})
    project.stub.drift(f"{SERVICES}processor", {"metadata": {"annotations": {INGRESS: "all"}}})
    project.stub.drift(f"{SERVICES}issuer", {"metadata": {"annotations": {UNGUARDED: "true"}}})
    project.stub.drift(f"{SERVICES}upload", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}})
    project.stub.drift_policy(f"{SERVICES}status", "add", "roles/run.invoker", "allAuthenticatedUsers")
    _duplicate(project)
    for name in LABELLED:
        project.stub.drift(
            name, {"metadata": {"labels": {"sluice": None}}} if "/services/" in name else {"labels": {"sluice": "another"}}
        )
    for name, title in ((FOREIGN, "On call"), (NEIGHBOUR, "Sluice (sluice-eu)")):
        channel = {"name": name, "displayName": title, "type": "email", "labels": {"email_address": ADDRESS}}
        project.stub.drift(name, channel)
    up, again = (project.run("up", "--notify", ADDRESS) for _ in range(2))
    project.stub.drift(BORROWER, {"name": BORROWER, "displayName": "Borrower", "notificationChannels": [own(up)]})
    return Mended(up, again, project.run("down"))


def _duplicate(project: Project) -> None:
    """A second dashboard and a second alert of the same name; the first dashboard is of an older deploy.sh."""
    named = {value.get("displayName"): value for value in project.stub.world.resources.values()}
    for title in ("Sluice (sluice)", "Sluice (sluice): failed ratio"):
        first = named[title]
        second = f"{first['name'].rpartition('/')[0]}/second"
        project.stub.drift(second, {**first, "name": second, "etag": "another"})
    named["Sluice (sluice)"]["labels"] = {"spec-1": ""}


def annotations(run: Run, name: str) -> Json:
    found: Json = run.state["resources"][SERVICES + name]["metadata"]["annotations"]
    return found


def test_one_run_is_enough(mended: Mended) -> None:
    assert mended.up.status == 0, mended.up.complaints
    assert mended.again.printed.startswith("0 changes: everything is as it should be.\n")


def test_a_subscription_that_is_created_again_has_its_grants_at_once(mended: Mended, deployed: Deployed) -> None:
    policies = [state["policies"][SUBSCRIPTION]["bindings"] for state in (deployed.first.state, mended.up.state)]

    assert mended.up.state["resources"][SUBSCRIPTION]["topic"] == f"{HOME}/topics/sluice-uploads"
    assert policies[1] == policies[0] != []


def test_a_service_that_strangers_could_reach_is_internal_again(mended: Mended) -> None:
    assert annotations(mended.up, "processor")[INGRESS] == "internal"


def test_a_service_without_invoker_check_checks_again(mended: Mended) -> None:
    assert annotations(mended.up, "issuer").get(UNGUARDED, "false").lower() == "false"


def test_a_service_that_is_not_ready_is_deployed_again(mended: Mended) -> None:
    assert mended.up.asked("PUT", "/services/sluice-upload")
    assert mended.up.state["resources"][f"{SERVICES}upload"]["status"]["conditions"][0] == {"type": "Ready", "status": "True"}


def test_everything_that_takes_labels_is_on_the_bill_of_its_deployment(mended: Mended) -> None:
    found = {name: mended.up.state["resources"][name] for name in LABELLED}

    assert {name: it.get("metadata", it).get("labels", {}).get("sluice") for name, it in found.items()} == dict.fromkeys(
        LABELLED, "sluice"
    )


def test_all_authenticated_users_count_as_strangers(mended: Mended) -> None:
    assert "allAuthenticatedUsers" not in str(mended.up.state["policies"])


def test_of_two_of_one_name_the_first_stays_and_is_renewed(mended: Mended, deployed: Deployed) -> None:
    watching = [
        {name for name in run.state["resources"] if "/dashboards/" in name or "/alertPolicies/" in name}
        for run in (deployed.first, mended.up)
    ]
    (dashboard,) = [value for name, value in mended.up.state["resources"].items() if "/dashboards/" in name]

    assert watching[1] == watching[0]
    assert dashboard["labels"].keys() != {"spec-1"}


# ---- the channel of alerts: one of our own, beside those of others to the same address


def own(run: Run) -> str:
    channels: dict[str, Json] = {
        name: value for name, value in run.state["resources"].items() if "/notificationChannels/" in name
    }
    (found,) = [name for name, value in channels.items() if value["displayName"] == "Sluice (sluice)"]
    return found


def test_alerts_go_to_a_channel_of_our_own(mended: Mended) -> None:
    alerts = [value for name, value in mended.up.state["resources"].items() if "/alertPolicies/" in name]

    assert mended.up.status == 0, mended.up.complaints
    assert [alert["notificationChannels"] for alert in alerts] == [[own(mended.up)]] * len(alerts) != []


def test_down_leaves_the_channels_of_others_alone(mended: Mended) -> None:
    assert {FOREIGN, NEIGHBOUR} <= mended.down.state["resources"].keys()
    touched = [line["path"] for line in mended.down.mutations if "/notificationChannels/" in line["path"]]
    assert [path.rpartition("/")[2] for path in touched] == [own(mended.up).rpartition("/")[2]]


def test_down_goes_on_when_an_alert_of_others_uses_our_channel(mended: Mended) -> None:
    assert mended.down.status == 0, mended.down.complaints
    assert "note: it stays, since alerts of others name it" in mended.down.complaints
    assert f"{HOME}/topics/sluice-uploads" not in mended.down.state["resources"]
