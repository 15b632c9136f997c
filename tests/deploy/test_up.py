"""plan and up, in an empty project and in one that is deployed already."""

import io
import re
import subprocess
import sys
import tarfile
import tomllib
from urllib.parse import unquote

import pytest

from shared.settings import ROOT
from tests.deploy.project import HOME, PIPELINE, PLACE, RESULTS, SERVICES, UPLOADS, Deployed, Project, account, url
from tests.deploy.stub.wire import Json
from tests.deploy.stub.world import NUMBER, PROJECT

QUEUES = tomllib.loads(PIPELINE.read_text())["queues"]
WEBHOOKS = tomllib.loads(PIPELINE.read_text())["webhooks"]
POOLS = tomllib.loads(PIPELINE.read_text())["pools"]
FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
#: The service of each pool; and all services: one for each folder of functions/, the processor as often as there are pools.
PROCESSORS = {"default": "processor", "slow": "processor-slow"}
URLS = ("upload", "issuer", "dispatcher", "status", "notifier", "sweeper")
ALL_SERVICES = sorted({*FOLDERS, *PROCESSORS.values()})


def container(service: Json) -> Json:
    found: Json = service["spec"]["template"]["spec"]["containers"][0]
    return found


def variables(service: Json) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container(service)["env"] if "value" in item}


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
    assert deployed.second.printed.startswith("0 changes: everything is as it should be.\n")


def test_up_ends_with_the_way_to_the_console(deployed: Deployed) -> None:
    proxy = f"gcloud run services proxy sluice-console --region=us-central1 --project={PROJECT}"

    for run in (deployed.first, deployed.second):
        assert run.printed.splitlines()[-1] == f"Console: http://127.0.0.1:8080, once this runs: {proxy}"


def test_there_is_a_service_for_every_folder_of_functions(deployed: Deployed) -> None:
    listed = re.findall(r"^  (?:service|pools) +([a-z]+) ", (ROOT / "deploy.sh").read_text(), re.MULTILINE)
    made = [name.removeprefix(SERVICES) for name in deployed.first.state["resources"] if name.startswith(SERVICES)]

    assert sorted(listed) == FOLDERS, "a folder of functions/ needs its line in the list of deploy.sh"
    assert sorted(made) == ALL_SERVICES


def test_every_service_has_its_variables(deployed: Deployed) -> None:
    for name in ALL_SERVICES:
        service, function = deployed.first.state["resources"][SERVICES + name], name.partition("-")[0]
        given = variables(service)

        assert (given["FUNCTION_TARGET"], given["FUNCTION_SOURCE"]) == (function, f"functions/{function}/main.py")
        assert given["THREADS"] == str(service["spec"]["template"]["spec"]["containerConcurrency"])
        assert given["GOOGLE_CLOUD_PROJECT"] == PROJECT
        assert (given["SLUICE_UPLOADS_BUCKET"], given["SLUICE_RESULTS_BUCKET"]) == (UPLOADS[8:], RESULTS[8:])
        assert {given[f"SLUICE_{other.upper()}_URL"] for other in URLS} == {url(other) for other in URLS}
        assert given["SLUICE_PROCESSOR_URLS"] == f"default={url('processor')},slow={url('processor-slow')}"
        callers = {caller: given[f"SLUICE_{caller.upper()}_ACCOUNT"] for caller in ("push", "tasks", "clock")}
        assert callers == {caller: account(caller) for caller in callers}
        assert given["SLUICE_QUEUE_AUTH"] == "queue"
    assert values(deployed, "SLUICE_SIGNER") == {"issuer": account("signer"), "console": account("signer")}
    assert values(deployed, "SLUICE_READER") == {"status": account("reader"), "console": account("reader")}
    assert values(deployed, "SLUICE_CONSOLE_ACCESS") == {"console": "invoker"}
    assert values(deployed, "SLUICE_OPERATORS") == {}
    assert values(deployed, "SLUICE_CALLERS") == {"upload": "verified", "issuer": "verified"}
    assert values(deployed, "SLUICE_ORIGINS") == {}
    assert values(deployed, "SLUICE_POOL") == {"processor": "default", "processor-slow": "slow"}


def values(deployed: Deployed, variable: str) -> dict[str, str]:
    """The value of a variable by service, where it is set."""
    found = {name: variables(deployed.first.state["resources"][SERVICES + name]).get(variable) for name in ALL_SERVICES}
    return {name: value for name, value in found.items() if value}


def test_one_image_by_its_digest_serves_all(deployed: Deployed) -> None:
    images = {container(deployed.first.state["resources"][SERVICES + name])["image"] for name in ALL_SERVICES}

    assert len(images) == len(deployed.first.asked("POST", "/builds")) == 1
    assert re.fullmatch(rf"us-central1-docker\.pkg\.dev/{PROJECT}/sluice/functions@sha256:[0-9a-f]{{64}}", images.pop())


def test_the_images_tag_is_made_of_exactly_the_files_that_are_uploaded(deployed: Deployed, project: Project) -> None:
    (archive,) = [name for name in deployed.kept["contents"] if "sluice-build" in name and unquote(name).endswith(".tgz")]
    with tarfile.open(fileobj=io.BytesIO(deployed.kept["contents"][archive])) as tar:
        uploaded = sorted(member.name.removeprefix("./") for member in tar.getmembers() if member.isfile())
    listing = "from deploy.sources import sources; print(*sources(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", listing], cwd=project.tree, capture_output=True, text=True, check=True)

    assert sorted(done.stdout.split()) == uploaded


def test_each_pool_is_a_service_with_the_numbers_of_pipeline_toml(deployed: Deployed) -> None:
    for name, service in PROCESSORS.items():
        template, wanted = deployed.first.state["resources"][SERVICES + service]["spec"]["template"], POOLS[name]
        limits = template["spec"]["containers"][0]["resources"]["limits"]
        instances = template["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"]

        assert (limits["cpu"], limits["memory"]) == (str(wanted["cpu"]), wanted["memory"])
        assert (template["spec"]["containerConcurrency"], int(instances)) == (wanted["concurrency"], wanted["max_instances"])
        assert template["spec"]["timeoutSeconds"] == wanted["deadline_seconds"]


def test_every_service_runs_in_the_second_execution_environment(deployed: Deployed) -> None:
    templates = {name: deployed.first.state["resources"][SERVICES + name]["spec"]["template"] for name in ALL_SERVICES}
    environments = {
        name: it["metadata"]["annotations"].get("run.googleapis.com/execution-environment") for name, it in templates.items()
    }

    assert environments == dict.fromkeys(ALL_SERVICES, "gen2")


def test_a_queue_calls_the_service_of_its_pool_as_the_tasks_account(deployed: Deployed) -> None:
    for name, pool in (("images", "default"), ("digests", "slow")):
        target, wanted = deployed.first.state["resources"][f"{PLACE}/queues/sluice-{name}"]["httpTarget"], url(PROCESSORS[pool])

        assert f"https://{target['uriOverride']['host']}" == wanted
        assert target["uriOverride"]["uriOverrideEnforceMode"] == "ALWAYS"
        assert target["oidcToken"] == {"serviceAccountEmail": account("tasks"), "audience": wanted}


@pytest.mark.failure("T16")
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


def test_pushes_carry_a_token_for_the_dispatcher_and_end_among_the_dead_letters(deployed: Deployed) -> None:
    subscription = deployed.first.state["resources"][f"{HOME}/subscriptions/sluice-dispatcher"]
    topic = f"{HOME}/topics/sluice-uploads"

    assert subscription["topic"] == topic
    assert subscription["pushConfig"]["pushEndpoint"] == f"{url('dispatcher')}/{topic}"
    assert subscription["pushConfig"]["oidcToken"] == {"serviceAccountEmail": account("push"), "audience": url("dispatcher")}
    assert subscription["deadLetterPolicy"]["deadLetterTopic"] == f"{HOME}/topics/sluice-dead-letters"
    assert subscription["expirationPolicy"] == {}


@pytest.mark.failure("T65")
def test_a_late_subscriber_can_seek_back_a_week(deployed: Deployed) -> None:
    kept = {
        name: deployed.first.state["resources"][f"{HOME}/topics/sluice-{name}"].get("messageRetentionDuration")
        for name in ("uploads", "completions", "dead-letters")
    }

    assert kept == {"uploads": None, "completions": "604800s", "dead-letters": None}


def test_buckets_are_closed_and_keep_what_they_have(deployed: Deployed) -> None:
    for name in (UPLOADS, RESULTS):
        bucket = deployed.first.state["resources"][name]

        assert bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced"
        assert bucket["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"] is True
        assert bucket["softDeletePolicy"]["retentionDurationSeconds"] == "604800"
        deleting = [rule["condition"] for rule in bucket["lifecycle"]["rule"] if rule["action"]["type"] == "Delete"]
        assert deleting == [{"age": 30, "matchesPrefix": ["attempts/"]}] * (name == RESULTS)


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
        f"Sluice (sluice): {path.stem.replace('-', ' ')}" for path in sorted((ROOT / "deploy" / "alerts").iterdir())
    ]
    metrics = [path.stem for path in (ROOT / "deploy" / "metrics").iterdir()]
    assert {f"{HOME}/metrics/sluice-{name}" for name in metrics} <= set(resources)
    assert len(dashboards) == 1
    assert "@" not in str(dashboards)


def test_dispatcher_notifier_sweeper_and_processors_cannot_be_reached_from_the_internet(deployed: Deployed) -> None:
    services = {name: deployed.first.state["resources"][SERVICES + name] for name in ALL_SERVICES}
    ingress = {name: service["metadata"]["annotations"]["run.googleapis.com/ingress"] for name, service in services.items()}

    assert {name for name, found in ingress.items() if found == "internal"} == {
        "dispatcher",
        "notifier",
        "sweeper",
        *PROCESSORS.values(),
    }
