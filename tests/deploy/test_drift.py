"""Everything has drifted, and Google's APIs fail now and then: doctor names the faults, up repairs all of it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.deploy.project import HOME, PLACE, RESULTS, SERVICES, UPLOADS, Deployed, Project, Run, account, url
from tests.deploy.stub.wire import Json
from tests.deploy.stub.world import NUMBER, PROJECT

SUBSCRIPTION = f"{HOME}/subscriptions/sluice-dispatcher"
NOTICES = f"{HOME}/subscriptions/sluice-notifier"
#: A queue that pipeline.toml no longer has, and a task in it.
OLD_QUEUE = f"{PLACE}/queues/sluice-old"
AGENT = f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
PUBSUB_AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
SCHEDULER_AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
ROGUE = ("roles/storage.admin", f"serviceAccount:{account('issuer')}")
LEFT_BEHIND = ("roles/storage.objectViewer", f"deleted:serviceAccount:{account('processor')}?uid=123456789012345678901")
SOMEBODY = ("roles/storage.objectViewer", "user:auditor@example.com")

ENVIRONMENT = "run.googleapis.com/execution-environment"

#: Changes made without deploy.sh; None deletes.
CHANGED: dict[str, Json | None] = {
    f"{HOME}/serviceAccounts/{account('status')}": {"disabled": True},
    UPLOADS: {
        "iamConfiguration": {"publicAccessPrevention": "inherited"},
        "cors": [{"origin": ["https://stranger.example"], "method": ["PUT"]}],
    },
    RESULTS: {"softDeletePolicy": {"retentionDurationSeconds": "0"}, "lifecycle": None},
    f"{PLACE}/queues/sluice-images": {"state": "PAUSED", "rateLimits": {"maxDispatchesPerSecond": 1}},
    f"{PLACE}/queues/sluice-digests": {"httpTarget": {"oidcToken": {"audience": "https://elsewhere.example"}}},
    f"{PLACE}/queues/sluice-sweeper": {"rateLimits": {"maxConcurrentDispatches": 9}},
    f"{PLACE}/jobs/sluice-sweep": {
        "state": "PAUSED",
        "attemptDeadline": "180s",
        "httpTarget": {"oidcToken": {"audience": "https://elsewhere.example"}},
    },
    SUBSCRIPTION: {
        "pushConfig": {"oidcToken": {"audience": "https://elsewhere.example"}, "noWrapper": {"writeMetadata": True}},
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "600s",
        "expirationPolicy": {"ttl": "2678400s"},
    },
    NOTICES: {"filter": 'attributes.verdict = "failed"'},
    f"{HOME}/subscriptions/sluice-dead-letters": None,
    f"{HOME}/subscriptions/sluice-completions": {"topic": "_deleted-topic_"},
    f"{HOME}/topics/sluice-completions": {"messageRetentionDuration": "600s"},
    f"{SERVICES}upload": None,
    f"{HOME}/metrics/sluice-refusals": {"filter": "nothing"},
    f"{PLACE}/repositories/sluice": {"cleanupPolicies": None},
}
#: Faults that pass: the first answers to each request.
STUTTERS = [
    (r"PUT storage.*/iam", 1, 412, "conditionNotMet: concurrent policy changes"),
    (r"sluice-processor:setIamPolicy", 2, 409, "There were concurrent policy changes. Please retry."),
    (r"POST .*serviceAccounts/sluice-processor.*:setIamPolicy", 1, 400, f"Service account {account('issuer')} does not exist."),
    (r"PUT pubsub.*/subscriptions/sluice-dead-letters", 1, 503, "The service is currently unavailable."),
    (r"POST .*/namespaces/.*/services", 1, 403, "Permission 'iam.serviceaccounts.actAs' denied on service account"),
    (r"POST storage.*/notificationConfigs", 2, 403, "does not have permission to publish messages to the Cloud Pub/Sub topic"),
    (r"PATCH cloudtasks", 1, 429, "RESOURCE_EXHAUSTED: Quota exceeded"),
]


@dataclass(frozen=True)
class Sick:
    """The results of doctor and up, and the right state of before."""

    doctor: Run
    up: Run
    before: dict[str, Any]


@pytest.fixture(scope="module")
def sick(project: Project, deployed: Deployed) -> Sick:
    project.bring_back(deployed.kept)
    for name, change in CHANGED.items():
        project.stub.drift(name, change)
    log(project, "sluice-processor", 9, "the sandbox is complete")
    log(project, "sluice-processor-slow", 9, "the sandbox is complete")
    log(project, "sluice-processor-slow", 3, "the sandbox is weaker on this host", missing="seccomp, landlock")
    project.stub.drift(OLD_QUEUE, {"name": OLD_QUEUE, "state": "RUNNING"})
    project.stub.drift(f"{OLD_QUEUE}/tasks/1", {"name": f"{OLD_QUEUE}/tasks/1"})
    _drift_services(project)
    _drift_watching(project)
    _drift_notifications(project)
    _drift_policies(project)
    doctor = project.run("doctor")
    for stutter in STUTTERS:
        project.stub.fault(*stutter)
    return Sick(doctor, project.run("up", "--yes"), deployed.kept)


def log(project: Project, service: str, minutes_ago: int, message: str, **fields: str) -> None:
    """Write a line as a service that started so long ago would have."""
    logged = {"resource": {"type": "cloud_run_revision", "labels": {"service_name": service}}}
    time = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
    entry = {**logged, "timestamp": time, "jsonPayload": {"message": message, **fields}}
    project.stub.drift(f"{HOME}/entries/{service}-{minutes_ago}", entry)


def _drift_services(project: Project) -> None:
    for name, template in project.stub.world.resources.items():
        if name == f"{SERVICES}dispatcher":
            variables = template["spec"]["template"]["spec"]["containers"][0]["env"]
            next(item for item in variables if item["name"] == "SLUICE_RESULTS_BUCKET")["value"] = UPLOADS[8:]
        if name == f"{SERVICES}processor":
            template["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = "512Mi"
        if name == f"{SERVICES}processor-slow":
            template["spec"]["template"]["metadata"]["annotations"][ENVIRONMENT] = "gen1"
            template["spec"]["template"]["spec"]["timeoutSeconds"] = 60
        if name == f"{SERVICES}issuer":
            template["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "DEBUG", "value": "1"})
        if name == f"{SERVICES}status":
            template["spec"]["traffic"] = [{"revisionName": "sluice-status-00001-old", "percent": 100}]


def _drift_watching(project: Project) -> None:
    """An alert is switched off, another is tuned by hand, the dashboard is of an older deploy.sh."""
    for value in project.stub.world.resources.values():
        if value.get("displayName") == "Sluice (sluice): dead letters":
            value["enabled"] = False
        if value.get("displayName") == "Sluice (sluice): queue depth":
            value["conditions"][0]["conditionThreshold"]["thresholdValue"] = 5
        if value.get("displayName") == "Sluice (sluice)" and "mosaicLayout" in value:
            value |= {"labels": {"spec-1": ""}, "mosaicLayout": {"columns": 12}}


def _drift_notifications(project: Project) -> None:
    """The one there is carries no payload any more, and there is a second one; the results bucket notifies too."""
    resources = project.stub.world.resources
    (name,) = [name for name in resources if "/notificationConfigs/" in name]
    resources[name] |= {"payload_format": "NONE", "object_name_prefix": "cats/", "custom_attributes": {"a": "b"}}
    resources[f"{UPLOADS}/notificationConfigs/777"] = {**resources[name], "id": "777"}
    resources[f"{RESULTS}/notificationConfigs/778"] = {**resources[name], "id": "778"}


def _drift_policies(project: Project) -> None:
    cells = [
        (UPLOADS, "add", ROGUE),
        (RESULTS, "add", LEFT_BEHIND),
        (RESULTS, "add", SOMEBODY),
        (HOME, "add", ("roles/editor", f"serviceAccount:{account('dispatcher')}")),
        (
            f"{HOME}/serviceAccounts/{account('processor')}",
            "add",
            ("roles/iam.serviceAccountUser", f"serviceAccount:{account('issuer')}"),
        ),
        (f"{SERVICES}processor", "add", ("roles/run.invoker", "allUsers")),
        (f"{SERVICES}dispatcher", "remove", ("roles/run.invoker", f"serviceAccount:{account('push')}")),
        (f"{SERVICES}sweeper", "remove", ("roles/run.invoker", f"serviceAccount:{account('clock')}")),
        (HOME, "remove", ("roles/cloudscheduler.serviceAgent", SCHEDULER_AGENT)),
        (f"{HOME}/topics/sluice-uploads", "remove", ("roles/pubsub.publisher", AGENT)),
        (f"{HOME}/topics/sluice-dead-letters", "remove", ("roles/pubsub.publisher", PUBSUB_AGENT)),
        (f"{HOME}/serviceAccounts/{account('push')}", "remove", ("roles/iam.serviceAccountTokenCreator", PUBSUB_AGENT)),
    ]
    for name, verb, cell in cells:
        project.stub.drift_policy(name, verb, *cell)


def policy(state: dict[str, Any], name: str) -> set[tuple[str, str]]:
    return {(binding["role"], member) for binding in state["policies"][name]["bindings"] for member in binding["members"]}


def test_doctor_finds_no_fault_where_there_is_none(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    done = project.run("doctor")

    assert (done.status, done.printed.splitlines()[-1], done.mutations) == (0, "No fault found.", [])


def test_doctor_prints_the_newest_line_about_the_sandbox_of_each_pool(project: Project, deployed: Deployed) -> None:
    """A line of another deployment does not count, nor one of more than 30 days ago."""
    project.bring_back(deployed.kept)
    log(project, "sluice-processor", 2, "ended", missing="nothing")
    log(project, "sluice-processor", 20 * 24 * 60, "the sandbox is complete")
    log(project, "sluice-processor", 21 * 24 * 60, "the sandbox is weaker on this host", missing="landlock")
    log(project, "eu-sluice-processor-slow", 1, "the sandbox is complete")
    log(project, "sluice-processor-slow", 31 * 24 * 60, "the sandbox is complete")
    done = project.run("doctor")

    lines = done.printed.splitlines()
    assert (done.status, len(lines), lines[2]) == (0, 3, "No fault found.")
    assert lines[0].startswith("sluice-processor: the sandbox is complete (logged 20")
    assert lines[1].startswith("sluice-processor-slow: not started yet")


@pytest.mark.parametrize(
    ("fault", "fix"),
    [
        ("the service sluice-upload is missing", r"\./deploy\.sh up"),
        (
            r"Pub/Sub may not call the dispatcher \(missing invoker\)",
            r"gcloud run services add-iam-policy-binding sluice-dispatcher .*push@",
        ),
        (r"Pub/Sub may not make the tokens of sluice-push@", "gcloud iam service-accounts add-iam-policy-binding sluice-push@"),
        ("strangers may call sluice-processor", r"\./deploy\.sh up"),
        (
            "wrong audience: pushes carry tokens for 'https://elsewhere.example'",
            "--push-auth-token-audience=" + re.escape(url("dispatcher")),
        ),
        (
            "duplicate notifications: every upload is announced 2 times",
            "gcloud storage buckets notifications delete projects/_/buckets/",
        ),
        ("a notification carries no payload", r"\./deploy\.sh up"),
        ("a notification is only for names that begin with 'cats/'", r"\./deploy\.sh up"),
        ('a notification has the attributes {"a": "b"}', r"\./deploy\.sh up"),
        ("the subscription sluice-dispatcher differs: ack seconds 10 in place of 60, retention seconds 600 in place of 604800, "
         "expires '2678400s' in place of '', unwrapped on in place of off; Pub/Sub deletes it when", r"\./deploy\.sh up"),
        ("the subscription sluice-notifier differs: filter 'attributes.verdict = \"failed\"' in place of ''; messages that",
         r"\./deploy\.sh up"),
        ("the subscription sluice-completions differs: topic '_deleted-topic_'", r"\./deploy\.sh up"),
        ("the topic sluice-completions differs: retention seconds 600 in place of 604800", r"\./deploy\.sh up"),
        ("the bucket demo-project-sluice-uploads differs: public access prevention 'inherited' in place of 'enforced', cors; pages",
         r"\./deploy\.sh up"),
        ("the queue sluice-old is left behind: pipeline.toml does not have it, and 1 task waits",
         "gcloud tasks queues delete sluice-old --location=us-central1"),
        (
            "missing publisher grant of the storage agent",
            r"gcloud pubsub topics add-iam-policy-binding sluice-uploads .*gs-project-accounts",
        ),
        ("sluice-processor-slow runs in the execution environment 'gen1'", r"\./deploy\.sh up"),
        (
            r"the sandbox of sluice-processor-slow is weaker: its host lacks seccomp, landlock",
            r"\./deploy\.sh up, which sets the execution environment gen2; docs/sandbox\.md",
        ),
        ("the dead-letter topic has no subscription", "gcloud pubsub subscriptions create sluice-dead-letters"),
        ("Pub/Sub may not publish dead letters", "gcloud pubsub topics add-iam-policy-binding sluice-dead-letters"),
        ("paused schedule: sluice-sweep", "gcloud scheduler jobs resume sluice-sweep"),
        (
            r"Cloud Scheduler may not call sluice-sweeper \(missing invoker\)",
            r"gcloud run services add-iam-policy-binding sluice-sweeper .*clock@",
        ),
        (
            "Cloud Scheduler may not make tokens",
            "gcloud projects add-iam-policy-binding .*gcp-sa-cloudscheduler.* --role=roles/cloudscheduler.serviceAgent",
        ),
        ("paused queue: sluice-images", "gcloud tasks queues resume sluice-images"),
        ("wrong audience or account: sluice-digests", r"\./deploy\.sh up"),
        ("overlapping buckets: sluice-dispatcher writes results into the uploads bucket", r"\./deploy\.sh up"),
        ("overlapping buckets: the results bucket notifies sluice-uploads too", "gcloud storage buckets notifications delete"),
    ],
)  # fmt: skip
def test_doctor_names_the_fault_and_the_fix(sick: Sick, fault: str, fix: str) -> None:
    assert (sick.doctor.status, sick.doctor.mutations) == (1, [])
    found = re.search(
        rf"\* [^\n]*{fault}[^\n]*\n  fix: (?P<fix>(?s:.*?))(\n\*|$)", sick.doctor.printed.replace(" \\\n    ", " ")
    )
    assert found, sick.doctor.printed
    assert re.search(fix, found["fix"])


def test_up_survives_transient_errors(sick: Sick) -> None:
    stuttered = [line for line in sick.up.requests if line["mutating"] and line["status"] >= 400]

    assert sick.up.status == 0, sick.up.complaints
    assert len(stuttered) >= len(STUTTERS)


def lasting(resource: Json) -> Json:
    """A resource without empty fields and those that every change changes, such as gcloud's nonce on services."""
    changing = {"etag", "metageneration", "status", "metadata"}
    kept = {key: value for key, value in resource.items() if key not in changing and value not in ([], {})}
    return {**kept, "spec": resource["spec"]["template"]["spec"]} if "spec" in resource else kept


@pytest.mark.parametrize("name", [name for name in CHANGED if "subscriptions/sluice-completions" not in name])
def test_up_repairs_what_was_changed(sick: Sick, name: str) -> None:
    before, after = sick.before["resources"][name], sick.up.state["resources"][name]

    assert lasting(after) == lasting(before)


def test_up_replaces_a_subscription_whose_topic_was_deleted(sick: Sick) -> None:
    assert (
        sick.up.state["resources"][f"{HOME}/subscriptions/sluice-completions"]["topic"] == f"{HOME}/topics/sluice-completions"
    )


def test_up_replaces_a_subscription_whose_filter_was_changed_and_replays_what_waits(sick: Sick) -> None:
    steps = [("PUT", "/snapshots/sluice-notifier"), ("DELETE", "/subscriptions/sluice-notifier")]
    steps += [("PUT", "/subscriptions/sluice-notifier"), ("POST", ":seek"), ("DELETE", "/snapshots/sluice-notifier")]
    asked = [sick.up.asked(*step) for step in steps]

    assert [len(found) for found in asked] == [1] * 5
    assert asked == sorted(asked)


def test_up_leaves_a_queue_alone_that_pipeline_toml_no_longer_has(sick: Sick) -> None:
    assert sick.up.state["resources"][OLD_QUEUE]["state"] == "RUNNING"
    assert "note: the queue sluice-old is left behind: pipeline.toml does not have it, and 1 task waits." in sick.up.complaints


@pytest.mark.parametrize("name", ["processor", "processor-slow", "issuer", "dispatcher"])
def test_up_puts_a_changed_service_back(sick: Sick, name: str) -> None:
    templates = [state["resources"][SERVICES + name]["spec"]["template"] for state in (sick.before, sick.up.state)]
    specs = [template["spec"] for template in templates]

    assert (
        templates[1]["metadata"]["annotations"][ENVIRONMENT] == templates[0]["metadata"]["annotations"][ENVIRONMENT] == "gen2"
    )
    assert specs[1]["timeoutSeconds"] == specs[0]["timeoutSeconds"]
    assert specs[1]["containers"][0]["resources"] == specs[0]["containers"][0]["resources"]
    assert specs[1]["containers"][0]["env"] == specs[0]["containers"][0]["env"]


def test_up_sends_requests_to_the_newest_revision_again(sick: Sick) -> None:
    (traffic,) = sick.up.state["resources"][f"{SERVICES}status"]["spec"]["traffic"]

    assert (traffic.get("latestRevision"), traffic["percent"]) == (True, 100)


def test_up_leaves_one_notification_and_no_moment_without_any(sick: Sick) -> None:
    (left,) = [
        value for name, value in sick.up.state["resources"].items() if name.startswith(f"{UPLOADS}/notificationConfigs/")
    ]
    made = sick.up.asked("POST", "/notificationConfigs")
    deleted = [
        number
        for number, line in enumerate(sick.up.requests)
        if line["method"] == "DELETE" and "/notificationConfigs/" in line["path"]
    ]

    assert left["payload_format"] == "JSON_API_V1"
    assert max(made) < min(deleted)


@pytest.mark.parametrize(
    "name",
    [
        UPLOADS,
        HOME,
        f"{HOME}/serviceAccounts/{account('processor')}",
        f"{SERVICES}processor",
        f"{SERVICES}dispatcher",
        f"{SERVICES}sweeper",
        f"{HOME}/topics/sluice-uploads",
        f"{HOME}/topics/sluice-dead-letters",
    ],
)
def test_up_removes_rogue_grants_and_adds_missing_ones(sick: Sick, name: str) -> None:
    before = policy(sick.before, name) if name in sick.before["policies"] else set()

    assert policy(sick.up.state, name) == before


def test_a_paused_queue_goes_on_only_when_there_is_a_processor_for_it(sick: Sick) -> None:
    (resumed,) = sick.up.asked("POST", "/queues/sluice-images:resume")

    assert resumed > max(sick.up.asked("PUT", "/services/sluice-processor"))


def test_grants_are_added_before_any_is_removed(sick: Sick) -> None:
    commands = sick.up.commands
    added = [number for number, line in enumerate(commands) if "add-iam-policy-binding" in line]
    removed = [number for number, line in enumerate(commands) if "remove-iam-policy-binding" in line]

    assert max(added) < min(removed)


def test_up_leaves_the_grants_of_others_alone(sick: Sick) -> None:
    after = policy(sick.up.state, RESULTS)

    assert SOMEBODY in after
    assert LEFT_BEHIND not in after
    assert after - {SOMEBODY} == policy(sick.before, RESULTS)


def test_up_renews_the_dashboard_and_switches_alerts_on_but_leaves_them_as_they_were_tuned(sick: Sick) -> None:
    named = {value.get("displayName"): value for value in sick.up.state["resources"].values()}

    assert named["Sluice (sluice): dead letters"]["enabled"] is True
    assert named["Sluice (sluice): queue depth"]["conditions"][0]["conditionThreshold"]["thresholdValue"] == 5
    assert len(named["Sluice (sluice)"]["mosaicLayout"]["tiles"]) == 10
    assert named["Sluice (sluice)"]["labels"].keys() != {"spec-1"}


def test_up_touches_nothing_that_had_not_drifted(sick: Sick) -> None:
    touched = " ".join(line["path"] for line in sick.up.mutations)

    for untouched in ("sluice-tasks", "sluice-signer", "builds"):
        assert untouched not in touched
    assert f"{PROJECT}-sluice-build" not in touched
