"""plan and up, in an empty project and in one that is deployed already."""

import io
import re
import subprocess
import sys
import tarfile
import tomllib
from urllib.parse import unquote

from shared.settings import ROOT
from tests.conftest import PIPELINE
from tests.deploy.project import HOME, PLACE, RESULTS, SERVICES, UPLOADS, Deployed, Project, account, url
from tests.deploy.stub.wire import Json
from tests.deploy.stub.world import NUMBER, PROJECT

QUEUES = tomllib.loads(PIPELINE.read_text())["queues"]
FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))


def container(service: Json) -> Json:
    found: Json = service["spec"]["template"]["spec"]["containers"][0]
    return found


def variables(service: Json) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container(service)["env"]}


def test_a_plan_for_an_empty_project_changes_nothing(deployed: Deployed) -> None:
    assert deployed.plan.status == 0, deployed.plan.complaints
    assert deployed.plan.mutations == []
    assert (
        f"{len(deployed.plan.commands)} commands; ./deploy.sh up would run them, nothing was changed." in deployed.plan.printed
    )


def test_up_runs_exactly_what_was_planned(deployed: Deployed) -> None:
    digest = re.search(r"functions@(sha256:[0-9a-f]{64})", deployed.first.printed)
    assert digest
    planned = [re.sub(r"DIGEST-OF-[0-9a-f]{16}", digest[1], line) for line in deployed.plan.commands]

    assert deployed.first.status == 0, deployed.first.complaints
    assert sorted(deployed.first.commands) == sorted(planned)


def test_nothing_is_asked_in_an_order_that_production_refuses(deployed: Deployed) -> None:
    refused = [line for line in deployed.first.requests if line["status"] >= 400]

    assert [line for line in refused if line["method"] != "GET" or line["status"] != 404] == []
    assert deployed.first.complaints == ""


def test_the_notification_comes_after_everything_it_sets_going(deployed: Deployed) -> None:
    (notified,) = deployed.first.asked("POST", "/notificationConfigs")
    before = [
        *deployed.first.asked("POST", "/services"),
        *deployed.first.asked("PUT", "/subscriptions/sluice-dispatcher"),
        *deployed.first.asked("POST", ":setIamPolicy"),
        *deployed.first.asked("PUT", "/iam"),
    ]

    assert max(before) < notified


def test_a_second_up_changes_nothing(deployed: Deployed) -> None:
    assert deployed.second.status == 0, deployed.second.complaints
    assert deployed.second.mutations == []
    assert deployed.second.printed == "0 changes: everything is as it should be.\n"


def test_there_is_a_service_for_every_folder_of_functions(deployed: Deployed) -> None:
    listed = re.findall(r"^  service +([a-z]+) ", (ROOT / "deploy.sh").read_text(), re.MULTILINE)
    made = [name.removeprefix(SERVICES) for name in deployed.first.state["resources"] if name.startswith(SERVICES)]

    assert sorted(listed) == FOLDERS, "a folder of functions/ needs its line in the list of deploy.sh"
    assert sorted(made) == FOLDERS


def test_every_service_has_its_variables(deployed: Deployed) -> None:
    for name in FOLDERS:
        service = deployed.first.state["resources"][SERVICES + name]
        given = variables(service)

        assert (given["FUNCTION_TARGET"], given["FUNCTION_SOURCE"]) == (name, f"functions/{name}/main.py")
        assert given["THREADS"] == str(service["spec"]["template"]["spec"]["containerConcurrency"])
        assert given["GOOGLE_CLOUD_PROJECT"] == PROJECT
        assert (given["SLUICE_UPLOADS_BUCKET"], given["SLUICE_RESULTS_BUCKET"]) == (UPLOADS[8:], RESULTS[8:])
        assert {given[f"SLUICE_{other.upper()}_URL"] for other in ("issuer", "dispatcher", "processor", "status")} == {
            url(other) for other in ("issuer", "dispatcher", "processor", "status")
        }
        assert (given["SLUICE_PUSH_ACCOUNT"], given["SLUICE_TASKS_ACCOUNT"]) == (account("push"), account("tasks"))
        assert given["SLUICE_QUEUE_AUTH"] == "queue"
    signers = {name: variables(deployed.first.state["resources"][SERVICES + name]).get("SLUICE_SIGNER") for name in FOLDERS}
    assert {name: signer for name, signer in signers.items() if signer} == {
        "issuer": account("signer"),
        "status": account("reader"),
    }


def test_one_image_by_its_digest_serves_all(deployed: Deployed) -> None:
    images = {container(deployed.first.state["resources"][SERVICES + name])["image"] for name in FOLDERS}

    assert len(images) == len(deployed.first.asked("POST", "/builds")) == 1
    assert re.fullmatch(rf"us-central1-docker\.pkg\.dev/{PROJECT}/sluice/functions@sha256:[0-9a-f]{{64}}", images.pop())


def test_the_images_tag_is_made_of_exactly_the_files_that_are_uploaded(deployed: Deployed, project: Project) -> None:
    (archive,) = [name for name in deployed.kept["contents"] if "sluice-build" in name and unquote(name).endswith(".tgz")]
    with tarfile.open(fileobj=io.BytesIO(deployed.kept["contents"][archive])) as tar:
        uploaded = sorted(member.name.removeprefix("./") for member in tar.getmembers() if member.isfile())
    listing = "from deploy.sources import sources; print(*sources(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", listing], cwd=project.tree, capture_output=True, text=True, check=True)

    assert sorted(done.stdout.split()) == uploaded


def test_the_processor_can_take_all_that_the_queues_send_at_once(deployed: Deployed) -> None:
    template = deployed.first.state["resources"][f"{SERVICES}processor"]["spec"]["template"]
    instances = int(template["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"])
    at_once = sum(queue["max_concurrent_dispatches"] for queue in QUEUES.values())

    spare = instances * template["spec"]["containerConcurrency"] - at_once
    assert 1 <= spare // template["spec"]["containerConcurrency"] < 2, "one instance more than it takes"
    assert template["spec"]["timeoutSeconds"] < 600, "Cloud Tasks gives up after ten minutes"


def test_pubsub_waits_for_the_dispatcher_longer_than_it_may_take(deployed: Deployed) -> None:
    subscription = deployed.first.state["resources"][f"{HOME}/subscriptions/sluice-dispatcher"]
    template = deployed.first.state["resources"][f"{SERVICES}dispatcher"]["spec"]["template"]

    assert template["spec"]["timeoutSeconds"] < subscription["ackDeadlineSeconds"]


def test_the_queues_are_those_of_pipeline_toml_and_retry_for_a_week(deployed: Deployed) -> None:
    for name, wanted in QUEUES.items():
        queue = deployed.first.state["resources"][f"{PLACE}/queues/sluice-{name}"]

        assert queue["retryConfig"]["maxAttempts"] > wanted["attempts"]  # each step's, of which a task may have several
        assert queue["retryConfig"]["maxRetryDuration"] == "604800s"  # an outage of the processor deletes no task
        assert queue["rateLimits"]["maxDispatchesPerSecond"] == wanted["max_dispatches_per_second"]
        assert queue["rateLimits"]["maxConcurrentDispatches"] == wanted["max_concurrent_dispatches"]
        assert queue["httpTarget"]["oidcToken"] == {"serviceAccountEmail": account("tasks"), "audience": url("processor")}
        override = queue["httpTarget"]["uriOverride"]
        assert (override["host"], override["uriOverrideEnforceMode"]) == (url("processor")[8:], "ALWAYS")


def test_pushes_carry_a_token_for_the_dispatcher_and_end_among_the_dead_letters(deployed: Deployed) -> None:
    subscription = deployed.first.state["resources"][f"{HOME}/subscriptions/sluice-dispatcher"]
    topic = f"{HOME}/topics/sluice-uploads"

    assert subscription["topic"] == topic
    assert subscription["pushConfig"]["pushEndpoint"] == f"{url('dispatcher')}/{topic}"
    assert subscription["pushConfig"]["oidcToken"] == {"serviceAccountEmail": account("push"), "audience": url("dispatcher")}
    assert subscription["deadLetterPolicy"]["deadLetterTopic"] == f"{HOME}/topics/sluice-dead-letters"
    assert subscription["expirationPolicy"] == {}


def test_buckets_are_closed_and_keep_what_they_have(deployed: Deployed) -> None:
    for name in (UPLOADS, RESULTS):
        bucket = deployed.first.state["resources"][name]

        assert bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced"
        assert bucket["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"] is True
        assert bucket["softDeletePolicy"]["retentionDurationSeconds"] == "604800"
        assert [rule["action"]["type"] for rule in bucket["lifecycle"]["rule"]] == ["AbortIncompleteMultipartUpload"]


def test_there_is_one_notification_of_finished_uploads(deployed: Deployed) -> None:
    resources = deployed.first.state["resources"]
    (notification,) = [value for name, value in resources.items() if "/notificationConfigs/" in name]

    assert notification["topic"] == f"//pubsub.googleapis.com/{HOME}/topics/sluice-uploads"
    assert (notification["event_types"], notification["payload_format"]) == (["OBJECT_FINALIZE"], "JSON_API_V1")


def test_there_are_alerts_metrics_and_a_dashboard(deployed: Deployed) -> None:
    resources = deployed.first.state["resources"]
    alerts = [value["displayName"] for name, value in resources.items() if name.startswith(f"{HOME}/alertPolicies/")]
    dashboards = [value for name, value in resources.items() if name.startswith(f"projects/{NUMBER}/dashboards/")]

    assert sorted(alerts) == [
        f"Sluice (sluice): {kind}" for kind in ("dead letters", "failed ratio", "queue depth", "server errors")
    ]
    assert {f"{HOME}/metrics/sluice-verdicts", f"{HOME}/metrics/sluice-refusals"} <= set(resources)
    assert len(dashboards) == 1
    assert "@" not in str(dashboards)


def test_dispatcher_and_processor_cannot_be_reached_from_the_internet(deployed: Deployed) -> None:
    services = {name: deployed.first.state["resources"][SERVICES + name] for name in FOLDERS}
    ingress = {name: service["metadata"]["annotations"]["run.googleapis.com/ingress"] for name, service in services.items()}

    assert {name for name, found in ingress.items() if found == "internal"} == {"dispatcher", "processor"}
