"""Resources that are as wanted are left alone; for one that differs the right command is run."""

import copy
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import buckets, grants, image, pubsub, queues, secret_manager, services
from deploy.answers import Json, parsed
from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import Bucket, Grant, Notification, Queue, Repository, Service, Subscription, Topic, Version
from deploy.running import Runner
from shared import cors, routes
from tests.unit.deploy.example import PIPELINE, deployment

PAGES = "https://a.example,https://b.example"
ACCOUNT = "{}@demo-project.iam.gserviceaccount.com"
#: As gcloud prints them.
BUCKET: Json = {
    "labels": {"sluice": "sluice"},
    "location": "US-CENTRAL1",
    "uniform_bucket_level_access": True,
    "public_access_prevention": "enforced",
    "soft_delete_policy": {"retentionDurationSeconds": "604800"},
    "lifecycle_config": {
        "rule": [
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
            {"action": {"type": "Delete"}, "condition": {"age": 30}},
        ]
    },
    "cors_config": [
        cors.of_uploads([*PAGES.split(","), "http://127.0.0.1:8080", "http://localhost:8080"], routes.parse(PIPELINE))
    ],
}
QUEUE: Json = {
    "state": "RUNNING",
    "rateLimits": {"maxDispatchesPerSecond": 0.5, "maxConcurrentDispatches": 20, "maxBurstSize": 10},
    "retryConfig": {
        "maxAttempts": 100,
        "maxRetryDuration": "604800s",
        "minBackoff": "1s",
        "maxBackoff": "300s",
        "maxDoublings": 16,
    },
    "stackdriverLoggingConfig": {"samplingRatio": 0.1},
    "httpTarget": {
        "uriOverride": {"host": "sluice-processor-42.us-central1.run.app"},
        "oidcToken": {
            "serviceAccountEmail": ACCOUNT.format("sluice-tasks"),
            "audience": "https://sluice-processor-42.us-central1.run.app",
        },
    },
}
SUBSCRIPTION: Json = {
    "labels": {"sluice": "sluice"},
    "topic": "projects/demo-project/topics/sluice-uploads",
    "ackDeadlineSeconds": 60,
    "messageRetentionDuration": "604800s",
    "expirationPolicy": {},
    "pushConfig": {
        "pushEndpoint": "https://sluice-dispatcher-42.us-central1.run.app/projects/demo-project/topics/sluice-uploads",
        "oidcToken": {
            "serviceAccountEmail": ACCOUNT.format("sluice-push"),
            "audience": "https://sluice-dispatcher-42.us-central1.run.app",
        },
    },
    "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "60s"},
    "deadLetterPolicy": {"deadLetterTopic": "projects/demo-project/topics/sluice-dead-letters", "maxDeliveryAttempts": 20},
}
SERVICE_ROW = ("issuer", "1", "512Mi", "40", "30", "10", "all")


def commands(jobs: Iterator[list[Command]]) -> list[str]:
    return [" ".join(command) for job in jobs for command in job]


def changed(found: Json, *path: str, value: Any = None) -> Json:
    """A copy with another value at this path."""
    found = part = copy.deepcopy(found)
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return found


def service_json(it: Deployment) -> Json:
    """The issuer, as `run services list` prints it; memory and CPU spelled as Cloud Run does."""
    variables = services.variables(it, "issuer", "40")
    container = {
        "image": "IMAGE",
        "resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}},
        "env": [{"name": name, "value": value} for name, value in reversed(variables.items())],
    }
    scaling = {
        "autoscaling.knative.dev/maxScale": "10",
        "run.googleapis.com/startup-cpu-boost": "true",
        "run.googleapis.com/execution-environment": "gen2",
    }
    spec = {
        "serviceAccountName": ACCOUNT.format("sluice-issuer"),
        "containerConcurrency": 40,
        "timeoutSeconds": 30,
        "containers": [container],
    }
    return {
        "metadata": {
            "name": "sluice-issuer",
            "labels": {"sluice": "sluice"},
            "annotations": {"run.googleapis.com/ingress": "all"},
        },
        "spec": {
            "template": {"metadata": {"annotations": scaling}, "spec": spec},
            "traffic": [{"latestRevision": True, "percent": 100}],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


# ---- buckets


def bucket(it: Deployment, found: Json) -> list[str]:
    it.state.buckets["demo-project-sluice-uploads"] = parsed(Bucket, found)
    return commands(buckets.bucket(it, "uploads", "7d", "30"))


def test_a_bucket_as_it_should_be_is_left_alone(tmp_path: Path) -> None:
    it = deployment(tmp_path, origins=PAGES)

    assert bucket(it, BUCKET) == []


def test_old_uploads_are_deleted_whatever_their_names(tmp_path: Path) -> None:
    bucket(deployment(tmp_path), BUCKET)

    assert json.loads((tmp_path / "lifecycle-uploads.json").read_text())["rule"] == BUCKET["lifecycle_config"]["rule"]


def test_old_results_are_deleted_but_not_the_assets(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    create, _cors = commands(buckets.bucket(it, "results", "7d", "45"))
    lifecycle = json.loads((tmp_path / "lifecycle-results.json").read_text())
    right = changed(BUCKET, "lifecycle_config", value=lifecycle)

    assert create.startswith("storage buckets create gs://demo-project-sluice-results")
    folders = ["attempts/", "backfills/", "files/", "guard/", "index/", "jobs/"]
    assert lifecycle["rule"][2]["condition"] == {"age": 45, "matchesPrefix": folders}
    for found, updates in ((right, 0), (BUCKET, 1)):  # the rule of an older release deletes the assets too
        its_cors = [cors.of_results(it.origins)]
        it.state.buckets["demo-project-sluice-results"] = parsed(Bucket, changed(found, "cors_config", value=its_cors))
        assert len(commands(buckets.bucket(it, "results", "7d", "45"))) == updates


def test_notes_of_attempts_are_deleted_after_thirty_days_and_results_never(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    commands(buckets.bucket(it, "results", "7d", "0"))
    rules = json.loads((tmp_path / "lifecycle-results.json").read_text())["rule"]

    assert [rule["condition"] for rule in rules if rule["action"]["type"] == "Delete"] == [
        {"age": 30, "matchesPrefix": ["attempts/"]}
    ]
    its_cors = [cors.of_results(it.origins)]
    for found, updates in ((rules, 0), (rules[:1], 1), ([rules[0], changed(rules[1], "condition", "age", value=29)], 1)):
        described = changed(changed(BUCKET, "cors_config", value=its_cors), "lifecycle_config", value={"rule": found})
        it.state.buckets["demo-project-sluice-results"] = parsed(Bucket, described)
        assert len(commands(buckets.bucket(it, "results", "7d", "0"))) == updates


@pytest.mark.parametrize(
    "path",
    [
        ("uniform_bucket_level_access",),
        ("public_access_prevention",),
        ("soft_delete_policy",),
        ("lifecycle_config",),
        ("cors_config",),
        ("cors_config", 0, "origin"),
        ("cors_config", 0, "method"),
        ("cors_config", 0, "responseHeader"),
        ("cors_config", 0, "maxAgeSeconds"),
    ],
)
def test_a_bucket_that_differs_is_updated(path: tuple[str, ...], tmp_path: Path) -> None:
    it = deployment(tmp_path, origins=PAGES)
    (command,) = bucket(it, changed(BUCKET, *path))

    assert command.startswith("storage buckets update gs://demo-project-sluice-uploads --uniform-bucket-level-access")
    assert command.endswith(f"--cors-file={tmp_path}/cors-uploads.json")


def test_a_page_of_nobodys_may_not_use_the_build_bucket(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.buckets["demo-project-sluice-build"] = parsed(Bucket, BUCKET)
    (command,) = commands(buckets.bucket(it, "build", "7d", "30"))

    assert command.endswith("--clear-cors")


@pytest.mark.parametrize(
    ("access", "own"),
    [
        ("invoker", ["http://127.0.0.1:8080", "http://localhost:8080"]),
        ("iap", ["https://sluice-console-42.us-central1.run.app"]),
    ],
)
def test_the_console_may_use_the_uploads_bucket(access: str, own: list[str], tmp_path: Path) -> None:
    assert deployment(tmp_path, console_access=access).origins == own
    assert deployment(tmp_path, console_access=access, origins="https://a.example").origins == ["https://a.example", *own]


def test_a_bucket_is_created_before_its_cors_is_set(tmp_path: Path) -> None:
    create, update = commands(buckets.bucket(deployment(tmp_path, origins="https://a.example"), "uploads", "7d", "0"))

    assert create.startswith("storage buckets create gs://demo-project-sluice-uploads --location=us-central1")
    assert "--cors-file" not in create
    update_labels = "--update-labels=sluice=sluice"
    assert (
        update
        == f"storage buckets update gs://demo-project-sluice-uploads --cors-file={tmp_path}/cors-uploads.json {update_labels}"
    )


# ---- queues


def queue(it: Deployment, found: Json) -> list[str]:
    it.state.queues["sluice-images"] = parsed(Queue, found)
    return commands(queues.changed_queues(it))


def test_a_queue_as_it_should_be_is_left_alone_even_paused(tmp_path: Path) -> None:
    assert queue(deployment(tmp_path), QUEUE) == []
    assert queue(deployment(tmp_path), changed(QUEUE, "state", value="PAUSED")) == []


@pytest.mark.parametrize(
    "path",
    [("rateLimits",), ("retryConfig", "minBackoff"), ("stackdriverLoggingConfig",), ("httpTarget", "oidcToken", "audience")],
)
def test_a_queue_that_differs_is_updated(path: tuple[str, ...], tmp_path: Path) -> None:
    (command,) = queue(deployment(tmp_path), changed(QUEUE, *path))

    assert command == (
        "tasks queues update sluice-images --location=us-central1 --max-dispatches-per-second=0.5 "
        "--max-concurrent-dispatches=20 --max-attempts=100 --max-retry-duration=604800s --min-backoff=1s --max-backoff=300s "
        "--max-doublings=16 --log-sampling-ratio=0.1 "
        "--http-uri-override=scheme:HTTPS,host:sluice-processor-42.us-central1.run.app,mode:ALWAYS "
        f"--http-oidc-service-account-email-override={ACCOUNT.format('sluice-tasks')} "
        "--http-oidc-token-audience-override=https://sluice-processor-42.us-central1.run.app"
    )


def test_a_queue_loses_its_target_when_tasks_name_it(tmp_path: Path) -> None:
    (command,) = queue(deployment(tmp_path, queue_auth="task"), QUEUE)

    assert command.endswith(
        "--clear-http-uri-override --clear-http-oidc-service-account-email-override --clear-http-oidc-token-audience-override"
    )
    assert queue(deployment(tmp_path, queue_auth="task"), changed(QUEUE, "httpTarget")) == []


def test_only_a_paused_queue_is_resumed(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.queues = {"sluice-images": Queue(state="PAUSED"), "sluice-digests": Queue(state="RUNNING")}

    assert commands(queues.resume_queues(it)) == [
        "tasks queues resume sluice-images --location=us-central1",
        "storage buckets update gs://demo-project-sluice-uploads --remove-labels=paused-images",
    ]


# ---- topics, subscriptions and the notification


@pytest.mark.parametrize(
    ("found", "days", "said"),
    [
        (None, "7", ["pubsub topics create sluice-completions --labels=sluice=sluice --message-retention-duration=7d"]),
        (None, "0", ["pubsub topics create sluice-completions --labels=sluice=sluice"]),
        ("604800s", "7", []),
        ("", "7", ["pubsub topics update sluice-completions --message-retention-duration=7d"]),
        ("604800s", "31", ["pubsub topics update sluice-completions --message-retention-duration=31d"]),
        ("604800s", "0", ["pubsub topics update sluice-completions --clear-message-retention-duration"]),
        ("", "0", []),
    ],
)
def test_a_topic_keeps_its_messages_as_long_as_it_should(found: str | None, days: str, said: list[str], tmp_path: Path) -> None:
    it = deployment(tmp_path)
    if found is not None:
        it.state.topics["sluice-completions"] = parsed(
            Topic, {"messageRetentionDuration": found or None, "labels": {"sluice": "sluice"}}
        )

    assert commands(pubsub.topic(it, "completions", days)) == said


def subscription(it: Deployment, found: Json) -> list[str]:
    it.state.subscriptions["sluice-dispatcher"] = parsed(Subscription, found)
    return commands(pubsub.push_subscription(it, "dispatcher", "uploads"))


def test_a_subscription_as_it_should_be_is_left_alone(tmp_path: Path) -> None:
    assert subscription(deployment(tmp_path), SUBSCRIPTION) == []


@pytest.mark.parametrize(
    "path",
    [
        ("ackDeadlineSeconds",),
        ("messageRetentionDuration",),
        ("pushConfig",),
        ("pushConfig", "oidcToken", "audience"),
        ("retryPolicy", "maximumBackoff"),
        ("deadLetterPolicy",),
    ],
)
def test_a_subscription_that_differs_is_updated(path: tuple[str, ...], tmp_path: Path) -> None:
    (command,) = subscription(deployment(tmp_path), changed(SUBSCRIPTION, *path))

    assert command.startswith("pubsub subscriptions update sluice-dispatcher --ack-deadline=60 --expiration-period=never")


def test_a_subscription_that_would_expire_is_updated(tmp_path: Path) -> None:
    expiring = changed(SUBSCRIPTION, "expirationPolicy", value={"ttl": "2678400s"})

    assert len(subscription(deployment(tmp_path), expiring)) == 1


def test_a_subscription_of_a_deleted_topic_is_made_anew_with_its_grants(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.policies["subscription:dispatcher"] = []
    delete, create = subscription(it, changed(SUBSCRIPTION, "topic", value="_deleted-topic_"))

    assert delete == "pubsub subscriptions delete sluice-dispatcher"
    assert create.startswith("pubsub subscriptions create sluice-dispatcher --topic=sluice-uploads")
    assert "subscription:dispatcher" not in it.state.policies


UNWRAPPED = SUBSCRIPTION["pushConfig"] | {"noWrapper": {}}


@pytest.mark.parametrize(
    ("field", "value", "flag"),
    [
        ("pushConfig", UNWRAPPED, "--clear-push-no-wrapper-config"),
        ("messageTransforms", [{"javascriptUdf": {}}], "--clear-message-transforms"),
    ],
)
def test_what_a_subscription_should_not_have_is_taken_away(field: str, value: Any, flag: str, tmp_path: Path) -> None:
    (command,) = subscription(deployment(tmp_path), changed(SUBSCRIPTION, field, value=value))

    assert command.startswith("pubsub subscriptions update sluice-dispatcher ")
    assert command.endswith(f" --max-delivery-attempts=20 {flag}")


def test_a_subscription_that_is_pulled_gets_rid_of_pushes_and_dead_letters(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    found = changed(SUBSCRIPTION, "topic", value="projects/demo-project/topics/sluice-completions")
    it.state.subscriptions["sluice-completions"] = parsed(Subscription, found)
    (command,) = commands(pubsub.pull_subscriptions(it, "completions"))

    assert command == (
        "pubsub subscriptions update sluice-completions --ack-deadline=60 --expiration-period=never "
        "--message-retention-duration=7d --push-endpoint= --clear-retry-policy --clear-dead-letter-policy"
    )


SNAPSHOT = "pubsub snapshots create sluice-dispatcher --subscription=sluice-dispatcher"
DELETE = "pubsub subscriptions delete sluice-dispatcher"
CREATE = "pubsub subscriptions create sluice-dispatcher --topic=sluice-uploads"
REPLAY = [
    "pubsub subscriptions seek sluice-dispatcher --snapshot=sluice-dispatcher",
    "pubsub snapshots delete sluice-dispatcher",
]


@pytest.mark.parametrize(
    ("found", "snapshot", "said"),
    [
        ({"filter": "attributes.a"}, "", [SNAPSHOT, DELETE, CREATE, *REPLAY]),
        ({"filter": "attributes.a"}, "sluice-uploads", [DELETE, CREATE, *REPLAY]),  # stopped before it was deleted
        (None, "sluice-uploads", [CREATE, *REPLAY]),  # stopped before it was created
        ({}, "sluice-uploads", REPLAY),  # stopped before the replay
        ({"detached": True}, "", [DELETE, CREATE]),
        ({"detached": True, "filter": "attributes.a"}, "", [DELETE, CREATE]),
        (None, "_deleted-topic_", [CREATE]),
    ],
)
def test_what_cannot_be_changed_is_made_anew_and_what_waits_is_replayed(
    found: Json | None, snapshot: str, said: list[str], tmp_path: Path
) -> None:
    it = deployment(tmp_path)
    it.state.policies["subscription:dispatcher"] = []
    it.state.snapshots = {"sluice-dispatcher": snapshot} if snapshot else {}
    done = (
        commands(pubsub.push_subscription(it, "dispatcher", "uploads"))
        if found is None
        else subscription(it, SUBSCRIPTION | found)
    )

    assert [" ".join(command.split()[: len(right.split())]) for command, right in zip(done, said, strict=True)] == said
    assert ("subscription:dispatcher" in it.state.policies) == (DELETE not in said), "its grants are deleted with it"


def notification(identity: str, payload: str = "JSON_API_V1", topic: str = "sluice-uploads", **more: Any) -> Notification:
    full = f"//pubsub.googleapis.com/projects/demo-project/topics/{topic}"
    it = {"id": identity, "topic": full, "payload_format": payload, "event_types": ["OBJECT_FINALIZE"], **more}
    return parsed(Notification, {"Notification Configuration": it})


@pytest.mark.parametrize(
    ("found", "verbs"),
    [
        ([], ["create"]),
        ([notification("1")], []),
        ([notification("1"), notification("2")], ["delete 2"]),
        ([notification("1", "NONE")], ["create", "delete 1"]),
        ([notification("1", "NONE"), notification("2")], ["delete 1"]),
        ([notification("1", topic="others")], ["create"]),
        ([notification("1", object_name_prefix="a/")], ["create", "delete 1"]),
        ([notification("1", custom_attributes={"a": "b"}), notification("2")], ["delete 1"]),
        ([notification("1", event_types=["OBJECT_DELETE"])], ["create", "delete 1"]),
        ([notification("1", event_types=[])], ["create", "delete 1"]),
    ],
)
def test_one_right_notification_is_left(found: list[Notification], verbs: list[str], tmp_path: Path) -> None:
    it = deployment(tmp_path)
    it.state.notifications["uploads"] = found
    words = [command.split() for command in commands(pubsub.notification(it, "uploads"))]

    said = [f"{word[3]} {word[4].rpartition('/')[2]}" if word[3] == "delete" else word[3] for word in words]
    assert said == verbs


# ---- services and the image repository


def service(it: Deployment, change: Callable[[Json], None] = lambda _: None) -> list[str]:
    it.image, found = "IMAGE", service_json(it)
    change(found)
    it.state.services["sluice-issuer"] = parsed(Service, found)
    return commands(services.service(it, *SERVICE_ROW)) + commands(services.newest_revisions(it))


@pytest.mark.parametrize(
    ("name", "accounts"), [("issuer", ["signer"]), ("status", ["reader"]), ("console", ["reader", "signer"])]
)
def test_a_service_that_signs_is_given_the_accounts_for_it(name: str, accounts: list[str], tmp_path: Path) -> None:
    given = services.variables(deployment(tmp_path), name, "40")
    named = {variable: given[variable] for variable in ("SLUICE_READER", "SLUICE_SIGNER") if variable in given}

    assert list(named.values()) == [ACCOUNT.format(f"sluice-{account}") for account in accounts]


def test_a_service_as_it_should_be_is_left_alone(tmp_path: Path) -> None:
    assert service(deployment(tmp_path)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["metadata"]["annotations"].update({"run.googleapis.com/ingress": "internal"}),
        lambda it: it["metadata"]["labels"].update(sluice="another"),
        lambda it: it["spec"]["template"]["metadata"]["annotations"].update({"autoscaling.knative.dev/minScale": "1"}),
        lambda it: it["spec"]["template"]["metadata"]["annotations"].pop("run.googleapis.com/startup-cpu-boost"),
        lambda it: it["spec"]["template"]["metadata"]["annotations"].pop("run.googleapis.com/execution-environment"),
        lambda it: it["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "DEBUG", "value": "1"}),
        lambda it: it["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"].update(memory="1Gi"),
        lambda it: it["spec"]["template"]["spec"].update(timeoutSeconds=60),
        lambda it: it["status"].update(conditions=[{"type": "Ready", "status": "False"}]),
        lambda it: it.update(status={}),
    ],
)
def test_a_service_that_differs_is_deployed(change: Callable[[Json], None], tmp_path: Path) -> None:
    (command,) = service(deployment(tmp_path), change)

    assert command == (
        "run deploy sluice-issuer --region=us-central1 --image=IMAGE "
        f"--service-account={ACCOUNT.format('sluice-issuer')} --cpu=1 --memory=512Mi --concurrency=40 --timeout=30 "
        "--max-instances=10 --min-instances=0 --execution-environment=gen2 --cpu-boost --ingress=all --invoker-iam-check "
        "--update-labels=sluice=sluice "
        f"--set-secrets=SLUICE_KEY_SECRET=sluice-keys:1 --env-vars-file={tmp_path}/variables-issuer.yaml"
    )


@pytest.mark.parametrize(
    ("access", "is_behind_iap", "said"),
    [
        ("invoker", False, ""),
        ("iap", True, ""),
        ("iap", False, "beta run deploy sluice-console --iap"),
        ("invoker", True, "beta run deploy sluice-console --no-iap"),
    ],
)
def test_the_console_goes_behind_identity_aware_proxy_and_back(
    access: str, is_behind_iap: bool, said: str, tmp_path: Path
) -> None:
    it = deployment(tmp_path, console_access=access)
    row = ("console", "1", "512Mi", "40", "30", "10", "all")
    commands(services.service(it, *row))
    wanted = services.variables(it, "console", "40")
    it.state.services["sluice-console"] = Service(
        "", it.email("console"), "40", "30", "1", "512Mi", "10", "all", wanted, iap=is_behind_iap
    )
    words = [word for command in commands(services.service(it, *row)) for word in command.split()]

    assert [word for word in words if word in said.split()] == said.split()


def test_a_door_is_shut_to_strangers_before_it_takes_its_callers_for_verified(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    strangers, mine = Grant("roles/run.invoker", "allUsers"), Grant("roles/run.invoker", "user:ann@example.com")
    for door in ("issuer", "status"):
        it.state.policies[f"service:{door}"] = [strangers, mine]
    words = [command.split()[2] for command in service(it, lambda found: found.update(status={}))]

    assert words == ["remove-iam-policy-binding", "sluice-issuer"]
    assert [command.split()[3] for command in commands(grants.revocations(it))] == ["sluice-status"]


def test_a_door_that_is_open_stays_open_and_verifies_its_callers_itself(tmp_path: Path) -> None:
    it = deployment(tmp_path, allow_unauthenticated="issuer")
    it.state.policies["service:issuer"] = [Grant("roles/run.invoker", "allUsers")]
    (command,) = service(it, lambda found: found.update(status={}))

    assert command.startswith("run deploy sluice-issuer ")
    assert services.variables(it, "issuer", "40")["SLUICE_CALLERS"] == "open"


@pytest.mark.parametrize("name", ["upload", "issuer", "status", "dispatcher"])
def test_each_service_is_known_by_its_own_url(name: str, tmp_path: Path) -> None:
    found = services.settings(deployment(tmp_path))

    assert found[f"SLUICE_{name.upper()}_URL"] == f"https://sluice-{name}-42.us-central1.run.app"


@pytest.mark.parametrize("name", ["upload", "issuer", "status"])
def test_pages_of_these_origins_may_call_the_doors(name: str, tmp_path: Path) -> None:
    assert services.variables(deployment(tmp_path, origins=PAGES), name, "40")["SLUICE_ORIGINS"] == PAGES
    assert "SLUICE_ORIGINS" not in services.variables(deployment(tmp_path), name, "40")


def test_a_service_other_than_the_console_is_not_behind_it(tmp_path: Path) -> None:
    assert service(deployment(tmp_path, console_access="iap")) == []


def test_requests_go_to_the_newest_revision(tmp_path: Path) -> None:
    old = [{"revisionName": "sluice-issuer-00001-old", "percent": 100}]

    assert service(deployment(tmp_path), lambda it: it["spec"].update(traffic=old)) == [
        "run services update-traffic sluice-issuer --region=us-central1 --to-latest"
    ]


def test_the_repository_keeps_what_cleanup_json_says(tmp_path: Path) -> None:
    it = deployment(tmp_path)
    keep = {"recent": {"mostRecentVersions": {"keepCount": 10}}, "old": {"condition": {"olderThan": "2592000s"}}}
    assert [command.split()[2] for command in commands(image.repository(it))] == ["create", "set-cleanup-policies"]

    it.state.repositories["sluice"] = parsed(
        Repository, {"format": "DOCKER", "cleanupPolicies": keep, "labels": {"sluice": "sluice"}}
    )
    assert commands(image.repository(it)) == []

    it.state.repositories["sluice"] = parsed(Repository, {"format": "DOCKER", "labels": {"sluice": "sluice"}})
    assert [command.split()[2] for command in commands(image.repository(it))] == ["set-cleanup-policies"]


# ---- labels


def test_what_has_no_label_is_labelled_and_nothing_else(tmp_path: Path) -> None:
    it, bare = deployment(tmp_path, origins=PAGES), {"labels": {"sluice": "another", "team": "media"}}
    label = "--update-labels=sluice=sluice"

    assert f" {label} " in bucket(it, {**BUCKET, **bare})[0]
    assert f" {label} " in subscription(it, {**SUBSCRIPTION, **bare})[0]
    it.state.topics["sluice-uploads"] = parsed(Topic, bare)
    assert commands(pubsub.topics(it, "uploads")) == [f"pubsub topics update sluice-uploads {label}"]
    keep = {"recent": {"mostRecentVersions": {"keepCount": 10}}, "old": {"condition": {"olderThan": "2592000s"}}}
    it.state.repositories["sluice"] = parsed(Repository, {"format": "DOCKER", "cleanupPolicies": keep, **bare})
    assert commands(image.repository(it)) == [f"artifacts repositories update sluice --location=us-central1 {label}"]


def test_an_unlabelled_secret_is_labelled_and_keeps_its_versions(tmp_path: Path) -> None:
    it, output = deployment(tmp_path), io.StringIO()
    it.state.secrets["sluice-keys"] = (Version(1, True),)
    for label in ("", "sluice"):
        it.state.secret_labels["sluice-keys"] = label
        secret_manager.secret(it, Runner(None, output), "keys")

    assert output.getvalue() == "gcloud secrets update sluice-keys --update-labels=sluice=sluice\n"


# ---- instances that wait, and services without a check of their callers


def least(it: Deployment, name: str, most: str) -> str:
    (command,) = commands(services.service(it, name, "1", "512Mi", "40", "30", most, "all"))
    (found,) = [word for word in command.split() if word.startswith("--min-instances=")]
    return found.removeprefix("--min-instances=")


def test_doors_dispatcher_and_the_default_pool_have_instances_that_wait(tmp_path: Path) -> None:
    it = deployment(tmp_path, min_instances="2")

    assert [name for name in it.listing.services if least(it, name, "5") == "2"] == [
        "upload",
        "issuer",
        "dispatcher",
        "processor",
    ]
    assert [least(it, name, "5") for name in ("status", "console", "processor-slow")] == ["0"] * 3
    assert least(it, "issuer", "1") == "1", "Cloud Run refuses more than the most"
    assert least(deployment(tmp_path), "issuer", "5") == "0"


def test_only_open_services_have_no_check_of_their_callers_and_no_grant_to_strangers(tmp_path: Path) -> None:
    it = deployment(tmp_path, allow_unauthenticated="issuer,upload", no_invoker_iam_check="yes")
    deployed = {
        name: commands(services.service(it, name, "1", "512Mi", "40", "30", "2", "all"))[0] for name in it.listing.services
    }

    unchecked = [name for name, command in deployed.items() if " --no-invoker-iam-check " in command]
    assert sorted(unchecked) == ["issuer", "upload"]
    assert all(" --invoker-iam-check " in command for name, command in deployed.items() if name not in unchecked)
    assert [
        grant for name in it.listing.services for grant in grants.wanted(it, f"service:{name}") if grant.member == "allUsers"
    ] == []
    assert services.variables(it, "issuer", "40")["SLUICE_CALLERS"] == "open"


def test_a_closed_service_checks_its_callers_before_it_takes_them_for_verified(tmp_path: Path) -> None:
    first, second = service(
        deployment(tmp_path),
        lambda it: it["metadata"]["annotations"].update({"run.googleapis.com/invoker-iam-disabled": "true"}),
    )

    assert first == "run services update sluice-issuer --region=us-central1 --invoker-iam-check"
    assert second.startswith("run deploy sluice-issuer ")
    assert " --invoker-iam-check " in second
