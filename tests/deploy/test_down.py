"""down removes everything but data, --delete-data that too; both may be repeated."""

import re
from dataclasses import dataclass

import pytest

from tests.deploy.project import HOME, PLACE, RESULTS, SECRETS, UPLOADS, WEBHOOK_SECRETS, Deployed, Project, Run
from tests.deploy.stub.world import NUMBER

TASK = f"{PLACE}/queues/sluice-images/tasks/waiting"
#: Their names could not be had again for weeks.
ROLES = {f"{HOME}/roles/sluice.{name}" for name in ("queueOperator", "queueLister")}
QUEUES = {f"{PLACE}/queues/sluice-{name}" for name in ("images", "digests", "sweeper", "webhook-orders", "webhook-audit")}
#: Of the webhooks: the operator made them.
THEIRS = {f"{SECRETS}{name}{version}" for name in WEBHOOK_SECRETS for version in ("", "/versions/1")}
KEYS = {f"{SECRETS}sluice-keys", f"{SECRETS}sluice-keys/versions/1"}
DELETE_DATA = ["--delete-data", "--yes"]


@dataclass(frozen=True)
class Down:
    """`down`, then with --delete-data, then that again; and that at once, with everything still there."""

    first: Run
    data: Run
    nothing: Run
    at_once: Run


@pytest.fixture(scope="module")
def down(project: Project, deployed: Deployed) -> Down:
    project.bring_back(deployed.kept)
    project.stub.world.resources[TASK] = {"name": TASK}
    first, data, nothing = (project.run("down", *flags) for flags in ([], DELETE_DATA, DELETE_DATA))
    project.bring_back(deployed.kept)
    return Down(first, data, nothing, project.run("down", *DELETE_DATA))


def ours(run: Run) -> set[str]:
    """Everything left, except the project itself and the traces of builds."""
    return {name for name in run.state["resources"] if name != HOME and not name.startswith(f"{HOME}/builds/")}


def test_everything_goes_but_data_and_what_waits(down: Down) -> None:
    assert down.first.status == 0, down.first.complaints
    assert ours(down.first) == {UPLOADS, RESULTS, TASK, *ROLES, *QUEUES, *KEYS, *THEIRS}


def test_queues_are_paused_so_that_up_can_go_on_with_their_tasks(down: Down) -> None:
    assert {down.first.state["resources"][name]["state"] for name in QUEUES} == {"PAUSED"}


def test_a_label_of_the_uploads_bucket_says_which_queues_down_paused(down: Down) -> None:
    labels = down.first.state["resources"][UPLOADS]["labels"]
    (labelled,) = down.first.asked("PATCH", UPLOADS.rpartition("/")[2])

    assert labels == {"sluice": "sluice"} | {f"paused-{name.partition('/queues/sluice-')[2]}": "by-down" for name in QUEUES}
    assert labelled < min(down.first.asked("POST", "/queues/sluice-images:pause"))


def test_down_warns_of_notifications_that_it_deletes(down: Down) -> None:
    warning = (
        "warning: the subscription sluice-dispatcher is deleted with the notifications that wait in it; "
        "a sweep after the next up finds their files, for 14 days.\n"
    )

    assert down.first.complaints == warning
    assert down.nothing.complaints == ""


def test_queues_are_paused_while_there_is_a_processor(down: Down) -> None:
    """Every attempt at one that is gone is an attempt less."""
    paused = [number for queue in ("images", "digests") for number in down.first.asked("POST", f"/queues/sluice-{queue}:pause")]

    assert len(paused) == 2
    assert max(paused) < min(down.first.asked("DELETE", "/services/sluice-processor"))


def test_the_notification_goes_first(down: Down) -> None:
    (silenced,) = [
        n for n, line in enumerate(down.first.requests) if line["mutating"] and "/notificationConfigs/" in line["path"]
    ]

    assert silenced == min(number for number, line in enumerate(down.first.requests) if line["mutating"])


def test_no_policy_keeps_a_deleted_account(down: Down) -> None:
    left = str([policy.get("bindings") for policy in down.first.state["policies"].values()])
    agents = re.findall(rf"service-{NUMBER}@([a-z-]+)", left)

    assert "deleted:" not in left
    assert "sluice-" not in left
    assert agents == ["gcp-sa-cloudscheduler"], "other jobs need it; what the others were granted went with the topics"


def test_the_schedule_goes_before_the_service_that_it_calls(down: Down) -> None:
    (deleted,) = down.first.asked("DELETE", "/jobs/sluice-sweep")

    assert deleted < min(down.first.asked("DELETE", "/services/sluice-sweeper"))


def test_a_second_down_repeats_nothing(down: Down) -> None:
    """It had the data to delete, the task that waited, and the secret of the keys: nothing else."""
    done = [line for line in down.data.mutations if not re.search(r"storage.*(uploads|results)", line["host"] + line["path"])]

    assert [line["path"].rpartition("/")[2] for line in done] == ["sluice-images:purge", "sluice-keys"]


def test_with_delete_data_only_the_empty_queues_the_roles_and_the_secrets_of_others_stay(down: Down) -> None:
    """The name of a deleted queue cannot be had again for days."""
    assert down.data.status == 0, down.data.complaints
    assert ours(down.data) == {*ROLES, *QUEUES, *THEIRS}
    assert (down.at_once.status, ours(down.at_once)) == (0, ours(down.data)), down.at_once.complaints


def test_when_nothing_is_left_nothing_is_changed(down: Down) -> None:
    assert down.nothing.status == 0, down.nothing.complaints
    assert (down.nothing.mutations, down.nothing.printed) == ([], "0 changes: nothing is left to remove.\n")
