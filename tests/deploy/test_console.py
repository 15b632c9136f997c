"""The console's way in: Identity-Aware Proxy with its agent and viewers, and back to Cloud Run's own check."""

from dataclasses import dataclass

import pytest

from tests.deploy.project import HOME, REGION, SERVICES, UPLOADS, Deployed, Project, Run, url
from tests.deploy.stub.world import NUMBER
from tests.deploy.test_rights import AGENTS, granted
from tests.deploy.test_up import variables

CONSOLE = f"{SERVICES}console"
IAP = f"{HOME}/iap_web/cloud_run-{REGION}/services/sluice-console"
STAFF, ANN = "group:staff@example.com", "user:ann@example.com"
INVOKER, ACCESSOR = "roles/run.invoker", "roles/iap.httpsResourceAccessor"
BEHIND_IAP = ["--console-access=iap", f"--console-viewers={STAFF}", "--console-operators=ann@example.com"]
#: Several runs of deploy.sh; test_up.py, test_drift.py and test_down.py play the same commands in fewer.
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Moved:
    """`up` behind Identity-Aware Proxy, the same again, `up` without it and for the staff only, and `down`."""

    first: Run
    again: Run
    back: Run
    down: Run


@pytest.fixture(scope="module")
def moved(project: Project, deployed: Deployed) -> Moved:
    project.bring_back(deployed.kept)
    first, again = project.run("up", *BEHIND_IAP), project.run("up", *BEHIND_IAP)
    project.stub.drift_policy(IAP, "add", ACCESSOR, "user:eve@example.com")
    behind = project.keep()
    back = project.run("up", "--console-access=", f"--console-viewers={STAFF}", "--console-operators=", "--yes")
    project.bring_back(behind)
    return Moved(first, again, back, project.run("down"))


def opened(run: Run) -> list[tuple[str, str, str]]:
    """Whatever opens the console, to whom."""
    return sorted(cell for cell in granted(run) if cell[0] in (CONSOLE, IAP))


def is_behind_iap(run: Run) -> bool:
    annotations = run.state["resources"][CONSOLE]["metadata"]["annotations"]
    return bool(annotations.get("run.googleapis.com/iap-enabled") == "true")


def test_without_options_nobody_may_open_or_act(deployed: Deployed) -> None:
    assert opened(deployed.first) == []
    assert not is_behind_iap(deployed.first)
    assert variables(deployed.first.state["resources"][CONSOLE])["SLUICE_OPERATORS"] == ""


def test_only_the_viewers_pass_identity_aware_proxy_and_only_its_agent_reaches_the_console(moved: Moved) -> None:
    assert moved.first.status == 0, moved.first.complaints
    assert is_behind_iap(moved.first)
    assert opened(moved.first) == sorted(
        [(CONSOLE, INVOKER, AGENTS["agent:iap"]), (IAP, ACCESSOR, STAFF), (IAP, ACCESSOR, ANN)]
    )


def test_the_agent_exists_before_the_console_is_behind_it(moved: Moved) -> None:
    (made,) = moved.first.asked("POST", "/services/iap.googleapis.com:generateServiceIdentity")

    assert made < min(moved.first.asked("PUT", "/services/sluice-console"))
    assert [line for line in moved.first.requests if line["status"] >= 400 and line["method"] != "GET"] == []


def test_the_console_expects_assertions_for_itself_and_its_operators(moved: Moved) -> None:
    given = variables(moved.first.state["resources"][CONSOLE])

    assert given["SLUICE_CONSOLE_ACCESS"] == "iap"
    assert given["SLUICE_IAP_AUDIENCE"] == f"/projects/{NUMBER}/locations/{REGION}/services/sluice-console"
    assert given["SLUICE_OPERATORS"] == "ann@example.com"


def test_its_own_address_is_printed_and_may_use_the_uploads_bucket(moved: Moved) -> None:
    (rule,) = moved.first.state["resources"][UPLOADS]["cors"]

    assert moved.first.printed.splitlines()[-1] == f"Console: {url('console')}"
    assert rule["origin"] == [url("console")]
    assert "DELETE" in rule["method"]


def test_a_second_up_changes_nothing(moved: Moved) -> None:
    assert moved.again.mutations == []
    assert moved.again.printed.startswith("0 changes: everything is as it should be.\n")


def test_back_from_identity_aware_proxy_only_the_viewers_call_the_console(moved: Moved) -> None:
    """The policy of Identity-Aware Proxy is empty, also of members that were added by hand."""
    assert moved.back.status == 0, moved.back.complaints
    assert not is_behind_iap(moved.back)
    assert opened(moved.back) == [(CONSOLE, INVOKER, STAFF)]


def test_down_leaves_nobody_who_could_open_a_later_console(moved: Moved) -> None:
    assert moved.down.status == 0, moved.down.complaints
    assert opened(moved.down) == []
