"""Reading the state: only APIs that are on are asked, only resources that exist, and answers become the state."""

from pathlib import Path

import pytest

from deploy.errors import Failed
from deploy.kinds import Account, Bucket, Grant, Queue, Repository, Service, Topic
from deploy.observed import Alert, Channel, Dashboard, SandboxLine
from deploy.reading import belongings, check_region, fill, fill_belongings, lists
from deploy.state import State
from tests.unit.deploy.example import deployment

APIS = ("artifactregistry", "cloudscheduler", "cloudtasks", "iam", "logging", "monitoring", "pubsub", "run", "storage")


def test_an_api_that_is_off_is_not_asked(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.apis = {"pubsub.googleapis.com", "cloudtasks.googleapis.com"}

    assert lists(it) == {
        "topic": ["pubsub", "topics", "list"],
        "subscription": ["pubsub", "subscriptions", "list"],
        "queue": ["tasks", "queues", "list", "--location=us-central1"],
        "snapshot": ["pubsub", "snapshots", "list"],
    }


@pytest.mark.parametrize(
    ("command", "notify", "kinds"),
    [("up", "", 13), ("up", "me@example.com", 14), ("down", "", 13), ("doctor", "me@example.com", 7), ("status", "", 13)],
)
def test_a_command_reads_the_kinds_it_needs(command: str, notify: str, kinds: int, tmp_path: Path) -> None:
    it = deployment(tmp_path, command, notify=notify)
    it.state.apis = {f"{name}.googleapis.com" for name in APIS}

    assert len(lists(it)) == kinds


def test_custom_roles_are_read_with_those_that_were_deleted(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.apis = {"iam.googleapis.com"}

    assert "--show-deleted" in lists(it)["role"]


OF_ALL = ["image", "notification.uploads"]
POLICIES = ["policy.project", "policy.bucket:uploads", "policy.queue:images"]


@pytest.mark.parametrize(
    ("command", "delete_data", "keys"),
    [
        ("up", False, [*OF_ALL, "policy.project", "policy.repository", *POLICIES[1:]]),
        ("doctor", False, [*OF_ALL, "policy.project", "policy.repository", *POLICIES[1:]]),
        ("down", False, [*OF_ALL, *POLICIES]),
        ("down", True, [*OF_ALL, "waiting.images", *POLICIES]),
    ],
)
def test_only_resources_that_exist_are_asked_for_more(command: str, delete_data: bool, keys: list[str], tmp_path: Path) -> None:
    it = deployment(tmp_path, command, delete_data=delete_data)
    it.state.buckets = {"demo-project-sluice-uploads": Bucket()}
    it.state.repositories = {"sluice": Repository()}
    it.state.queues = {"sluice-images": Queue()}

    assert list(belongings(it)) == keys


@pytest.mark.parametrize(
    ("command", "apis", "keys"),
    [("doctor", APIS, ["sandbox.processor-slow"]), ("doctor", (), []), ("up", APIS, []), ("status", APIS, [])],
)
def test_doctor_reads_a_line_of_the_log_for_each_pool_that_has_a_service(
    command: str, apis: tuple[str, ...], keys: list[str], tmp_path: Path
) -> None:
    it = deployment(tmp_path, command)
    it.state.apis = {f"{name}.googleapis.com" for name in apis}
    it.state.services = {"sluice-processor-slow": Service(variables={}), "sluice-upload": Service(variables={})}

    asked = belongings(it)
    assert [key for key in asked if key.startswith("sandbox")] == keys
    assert all('service_name="sluice-processor-slow"' in asked[key][2] and "--limit=1" in asked[key] for key in keys)


def test_lines_about_the_sandbox_are_kept_by_the_name_of_the_service(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    payload = {"message": "the sandbox is weaker on this host", "missing": "landlock"}
    fill_belongings(it, {"sandbox.processor": [{"timestamp": "now", "jsonPayload": payload}], "sandbox.processor-slow": []})

    assert it.state.sandbox_lines == {
        "processor": SandboxLine("the sandbox is weaker on this host", "landlock", "now"),
        "processor-slow": SandboxLine(),
    }


def test_names_are_without_their_paths() -> None:
    state, home = State(), "projects/demo-project"
    fill(
        state,
        {
            "topic": [
                {"name": f"{home}/topics/sluice-uploads"},
                {"name": f"{home}/topics/sluice-completions", "messageRetentionDuration": "604800s"},
            ],
            "queue": [{"name": f"{home}/locations/us-central1/queues/sluice-images", "state": "PAUSED"}],
            "account": [{"email": "a@b", "displayName": "A title"}, {"email": "c@d", "disabled": True}],
            "alert": [{"displayName": "A", "name": f"{home}/alertPolicies/1", "enabled": True, "userLabels": {"spec": "7"}}],
            "dashboard": [{"displayName": "D", "name": "projects/42/dashboards/8", "labels": {"spec-7": ""}, "etag": "e"}],
            "channel": [{"displayName": "C", "name": f"{home}/notificationChannels/9", "labels": {"email_address": "a@b"}}],
            "secret": [
                {"name": f"{home}/secrets/sluice-keys", "labels": {"sluice": "sluice"}},
                {"name": f"{home}/secrets/orders"},
            ],
            "service": None,
        },
    )

    assert state.secret_labels == {"sluice-keys": "sluice", "orders": ""}
    assert state.topics == {"sluice-uploads": Topic(), "sluice-completions": Topic(604800)}
    assert state.queues["sluice-images"].state == "PAUSED"
    assert state.accounts == {"a@b": Account("A title"), "c@d": Account(disabled=True)}
    assert state.alerts == [Alert("A", f"{home}/alertPolicies/1", True, "7")]
    assert state.dashboards == [Dashboard("D", "8", ("spec-7",), "e")]
    assert state.channels == [Channel("C", f"{home}/notificationChannels/9", "a@b")]
    assert state.services == {}


def test_policies_images_and_waiting_tasks_are_kept_by_name(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    policy = {"bindings": [{"role": "roles/viewer", "members": ["user:a@b", "user:c@d"]}, {"role": "roles/empty"}]}
    fill_belongings(
        it,
        {
            "image": [{"version": "sha256:1"}, {"version": "sha256:2"}],
            "waiting.images": [{"name": "task"}],
            "waiting.digests": [],
            "policy.queue:images": policy,
            "policy.project": {"etag": "ACAB"},
            "notification.uploads": None,
        },
    )

    assert (it.state.digest, it.state.waiting) == ("sha256:1", {"images": 1})
    assert it.state.policies == {
        "queue:images": [Grant("roles/viewer", "user:a@b"), Grant("roles/viewer", "user:c@d")],
        "project": [],
    }
    assert it.state.notifications == {"uploads": []}


def test_a_bucket_in_another_region_stops_the_command(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.buckets = {"demo-project-sluice-build": Bucket(location="EU"), "demo-project-others": Bucket(location="US")}
    with pytest.raises(Failed, match="demo-project-sluice-build is in EU, not in US-CENTRAL1; nothing was changed"):
        check_region(it)
