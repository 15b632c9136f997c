"""Doctor and down, on states that need no cloud."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy import buckets, grants, pubsub, queues
from deploy.deployment import Deployment
from deploy.doctor import faults
from deploy.down import down, stays
from deploy.kinds import Grant, Notification, Queue, Schedule, Service, Version
from deploy.observed import SandboxLine
from deploy.running import Runner
from deploy.sandbox import COMPLETE, WEAKER, notes
from deploy.status import status
from shared.settings import ROOT
from tests.unit.deploy.example import PIPELINE, deployment


def healthy(folder: Path, text: str = PIPELINE) -> Deployment:
    """A deployment of this pipeline.toml without a fault."""
    it = deployment(folder, "doctor", text)
    state = it.state
    state.apis = {f"{name}.googleapis.com" for name in it.listing.apis}
    state.services = {it.short(name): Service(variables={}) for name in it.listing.services}
    state.subscriptions = {it.full(name): wanted for name, wanted in pubsub.subscriptions(it)}
    listed = [line.arguments for line in it.listing.lines if line.word == "bucket"]
    state.buckets = {it.bucket(name): buckets.wanted_bucket(it, name, soft, int(days)) for name, soft, days in listed}
    state.topics = {it.full("completions"): pubsub.kept_for(it, "7")}
    state.queues = {
        it.full(name): Queue(state="RUNNING", account=it.email("tasks"), audience=it.url(server))
        for name, server in queues.servers(it).items()
    } | {it.full(name): Queue(state="RUNNING") for name in it.webhooks}
    sweeper = it.url("sweeper")
    called = Schedule(url=f"{sweeper}/", account=it.email("clock"), audience=sweeper, state="ENABLED", called="today")
    state.schedules = {"sluice-sweep": called}
    state.secrets = {name: (Version(1),) for name in (it.full("keys"), *it.webhook_secrets)}
    state.notifications["uploads"] = [Notification("1", it.topic_of_uploads, "JSON_API_V1", ("OBJECT_FINALIZE",))]
    state.sandbox_lines = {name: SandboxLine(COMPLETE) for name in it.pools}
    state.policies = {resource: grants.wanted(it, resource) for resource in grants.resources(it)}
    return it


def found(it: Deployment) -> list[str]:
    return [fault.what for fault in faults(it)]


def test_a_healthy_deployment_has_no_fault(tmp_path: Path) -> None:
    assert found(healthy(tmp_path)) == []


@pytest.mark.parametrize(
    ("given", "printed", "located"),
    [
        ({}, "gcloud tasks list; ./deploy.sh up", "gcloud tasks list; ./deploy.sh up"),
        ({"prefix"}, "gcloud tasks list; ./deploy.sh up; x", "gcloud tasks list; ./deploy.sh up --prefix=photos; x"),
        (
            {"project", "prefix"},
            "gcloud tasks list; ./deploy.sh up; why: gcloud run logs",
            "gcloud --project=demo-project tasks list; ./deploy.sh up --project=demo-project --prefix=photos; "
            "why: gcloud --project=demo-project run logs",
        ),
        ({"project"}, "echo a | gcloud secrets list --project=demo-project", "echo a | gcloud secrets list --project=demo-project"),
    ],
)  # fmt: skip
def test_a_printed_command_is_for_the_deployment_that_was_looked_at(
    given: set[str], printed: str, located: str, tmp_path: Path
) -> None:
    it = deployment(tmp_path, "doctor", prefix="photos")
    it.options = replace(it.options, given=frozenset(given))

    assert it.here(printed) == located


def test_identity_aware_proxy_needs_its_way_to_the_console(tmp_path: Path) -> None:
    it = healthy(tmp_path)
    it.options = replace(it.options, console_access="iap")
    it.state.buckets.clear()

    assert found(it) == ["Identity-Aware Proxy may not call sluice-console (missing invoker): 403 for all"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda it: it.state.apis.remove("run.googleapis.com"), "the API run is off"),
        (lambda it: it.state.secrets.pop("sluice-keys"), "the secret sluice-keys is missing or disabled"),
        (lambda it: it.state.secrets.update({"sluice-keys": (Version(1, False),)}), "sluice-keys is missing or disabled"),
        (lambda it: it.state.services.pop("sluice-status"), "the service sluice-status is missing"),
        (lambda it: it.state.services.update({"sluice-upload": Service(variables={}, ready=False)}), "sluice-upload is not ready"),
        (lambda it: it.state.services.update({"sluice-upload": Service(variables={}, environment="gen1")}),
         "sluice-upload runs in the execution environment 'gen1': the sandbox needs the kernel of gen2"),
        (lambda it: it.state.services.update({"sluice-upload": Service(variables={}, environment="")}), "environment 'default'"),
        (lambda it: it.state.sandbox_lines.update({"processor-slow": SandboxLine(WEAKER, "landlock", "today")}),
         "the sandbox of sluice-processor-slow is weaker: its host lacks landlock (logged today)"),
        (lambda it: it.state.services.pop("sluice-processor-slow"), "the service sluice-processor-slow is missing"),
        (lambda it: it.state.policies.pop("service:processor-slow"), "Cloud Tasks may not call sluice-processor-slow (missing"),
        (lambda it: it.state.policies["service:processor-slow"].append(Grant("roles/run.invoker", "allUsers")),
         "strangers may call sluice-processor-slow"),
        (lambda it: _call_other_pool(it), "wrong audience or account: sluice-digests calls sluice-processor-slow with tokens"),
        (lambda it: it.state.policies["account:signer"].pop(0), "the issuer may not sign as sluice-signer@demo-project"),
        (lambda it: it.state.policies["account:reader"].pop(0), "status may not sign as sluice-reader@demo-project"),
        (lambda it: it.state.policies["account:signer"].pop(), "the console may not sign as sluice-signer@demo-project"),
        (lambda it: it.state.policies["account:reader"].pop(), "the console may not sign as sluice-reader@demo-project"),
        (lambda it: it.state.policies["service:console"].append(Grant("roles/run.invoker", "allUsers")),
         "strangers may call sluice-console"),
        (lambda it: it.state.policies.pop("subscription:dispatcher"), "may not take dead letters off the subscription"),
        (lambda it: it.state.subscriptions.pop("sluice-dispatcher"), "the subscription sluice-dispatcher is missing"),
        (lambda it: it.state.notifications.clear(), "the uploads bucket has no notification"),
        (lambda it: it.state.notifications["uploads"].extend(it.state.notifications["uploads"]), "is announced 2 times"),
        (lambda it: it.state.queues.pop("sluice-images"), "the queue sluice-images is missing"),
        (lambda it: it.state.queues.pop("sluice-sweeper"), "the queue sluice-sweeper is missing"),
        (lambda it: it.state.policies["service:sweeper"].append(Grant("roles/run.invoker", "allUsers")),
         "strangers may call sluice-sweeper"),
        (lambda it: it.state.policies["service:sweeper"].pop(0), "Cloud Scheduler may not call sluice-sweeper (missing invoker)"),
        (lambda it: it.state.policies["service:sweeper"].pop(1), "Cloud Tasks may not call sluice-sweeper (missing invoker)"),
        (lambda it: it.state.policies["queue:images"].pop(0),
         "missing grants on queue:images: cloudtasks.enqueuer of sluice-upload@demo-project.iam.gserviceaccount.com"),
        (lambda it: it.state.policies.pop("bucket:results"), "missing grants on bucket:results: storage.objectCreator of sluice-"),
        (lambda it: it.state.policies["project"].remove(
            Grant("roles/cloudscheduler.serviceAgent", grants.member(it, "agent:scheduler"))
         ), "Cloud Scheduler may not make tokens (missing role of its service agent)"),
        (lambda it: it.state.schedules.clear(), "the schedule sluice-sweep is missing"),
        (lambda it: _change_schedule(it, state="PAUSED"), "paused schedule: sluice-sweep begins no sweep"),
        (lambda it: _change_schedule(it, state="UPDATE_FAILED"), "the schedule sluice-sweep is UPDATE_FAILED"),
        (lambda it: _change_schedule(it, audience="https://elsewhere.example"), "wrong URL, audience or account: sluice-sweep"),
        (lambda it: _change_schedule(it, account="me@example.com"), "makes calls that sluice-sweeper refuses"),
        (lambda it: _change_schedule(it, code=7.0), "the last call of the schedule sluice-sweep failed (code 7, today)"),
        (lambda it: _change_push(it, topic="_deleted-topic_"), "sluice-dispatcher listens to _deleted-topic_"),
        (lambda it: _change_push(it, account="me@example.com"), "pushes come from 'me@example.com'"),
        (lambda it: _change_push(it, endpoint="https://elsewhere.example/"), "pushes go to https://elsewhere.example/"),
        (lambda it: _change_push(it, filter="attributes.a"),
         "sluice-dispatcher differs: filter 'attributes.a' in place of ''; messages"),
        (lambda it: _change_push(it, detached=True), "sluice-dispatcher differs: detached on in place of off; it gets no message"),
        (lambda it: _change_push(it, unwrapped=True), "unwrapped on in place of off; pushes come without the envelope"),
        (lambda it: _change_push(it, transforms=True), "messages are changed or dropped on their way"),
        (lambda it: _change_push(it, expires="2678400s"), "expires '2678400s' in place of ''; Pub/Sub deletes it"),
        (lambda it: _change_push(it, ack_seconds=10, retention_seconds=600),
         "sluice-dispatcher differs: ack seconds 10 in place of 60, retention seconds 600 in place of 604800"),
        (lambda it: _change(it.state.subscriptions, "sluice-completions", endpoint="https://x.example"),
         "the subscription sluice-completions differs: endpoint 'https://x.example' in place of ''"),
        (lambda it: _change(it.state.subscriptions, "sluice-completions", topic="_deleted-topic_"),
         "the subscription sluice-completions differs: topic '_deleted-topic_' in place of 'sluice-completions'"),
        (lambda it: _change(it.state.buckets, "demo-project-sluice-uploads", cors="[]"),
         "the bucket demo-project-sluice-uploads differs: cors; pages of --origins or the console cannot use signed URLs"),
        (lambda it: _change(it.state.topics, "sluice-completions", retention_seconds=0),
         "the topic sluice-completions differs: retention seconds 0 in place of 604800"),
        (lambda it: _change_notification(it, prefix="a/"),
         "is only for names that begin with 'a/': other uploads stay unprocessed"),
        (lambda it: _change_notification(it, events=("OBJECT_DELETE",)),
         "is for the events OBJECT_DELETE, in place of OBJECT_FINALIZE"),
        (lambda it: _change_notification(it, events=()), "is for the events of every kind, in place of OBJECT_FINALIZE"),
        (lambda it: _change_notification(it, attributes='{"a": "b"}'), 'has the attributes {"a": "b"}, which no service reads'),
        (lambda it: it.state.subscriptions.update(a=it.state.subscriptions["sluice-dispatcher"]), "a pushes to the dispatcher"),
    ],
)  # fmt: skip
def test_one_change_is_one_fault(change: object, fault: str, tmp_path: Path) -> None:
    it = healthy(tmp_path)
    change(it)  # type: ignore[operator]

    assert len(found(it)) == 1
    assert fault in found(it)[0]


def _call_other_pool(it: Deployment) -> None:
    it.state.queues["sluice-digests"] = replace(it.state.queues["sluice-digests"], audience=it.url("processor"))


def _change_schedule(it: Deployment, **fields: object) -> None:
    _change(it.state.schedules, "sluice-sweep", **fields)


def _change_push(it: Deployment, **fields: object) -> None:
    _change(it.state.subscriptions, "sluice-dispatcher", **fields)


def _change_notification(it: Deployment, **fields: object) -> None:
    it.state.notifications["uploads"] = [replace(it.state.notifications["uploads"][0], **fields)]  # type: ignore[arg-type]


def _change(resources: dict[str, Any], name: str, **fields: object) -> None:
    resources[name] = replace(resources[name], **fields)


def test_the_sandbox_of_each_pool_is_noted_unless_it_is_a_fault(tmp_path: Path) -> None:
    it = healthy(tmp_path)
    it.state.sandbox_lines |= {"processor": SandboxLine(COMPLETE, time="today"), "processor-slow": SandboxLine()}
    assert list(notes(it)) == [
        "sluice-processor: the sandbox is complete (logged today)",
        "sluice-processor-slow: not started yet, or not in the last 30 days: its sandbox is unknown",
    ]
    assert found(it) == []

    it.state.sandbox_lines = {"processor": SandboxLine(WEAKER, "landlock")}
    assert list(notes(it)) == []


def test_the_sentences_about_the_sandbox_are_those_that_the_processor_logs() -> None:
    text = (ROOT / "shared" / "sandbox" / "service.py").read_text()

    assert f'log.info("{COMPLETE}")' in text
    assert f'log.warning("{WEAKER}", missing=' in text


def test_queues_whose_tasks_name_the_account_need_no_target(tmp_path: Path) -> None:
    it = healthy(tmp_path)
    it.state.queues = {name: Queue(state="RUNNING") for name in it.state.queues}
    assert len(found(it)) == 3

    it.options = replace(it.options, queue_auth="task")
    assert found(it) == []


def test_what_stays_after_down_is_data_queues_and_secrets() -> None:
    staying = ["project", "queue:images", "own-queue:sweeper", "webhook:webhook-orders", "secret:keys", "webhook-secret:orders"]
    staying += ["bucket:uploads", "bucket:results"]
    going = ["repository", "bucket:build", "topic:uploads", "service:notifier", "subscription:notifier"]

    assert [name for name in staying + going if stays(name)] == staying


def test_down_in_an_empty_project_has_nothing_to_do(tmp_path: Path) -> None:
    runner = Runner(None, io.StringIO())
    down(deployment(tmp_path, "down"), runner)

    assert runner.count == 0


def test_status_names_the_fields_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = healthy(tmp_path)
    status(it)
    assert "differs" not in capsys.readouterr().out

    _change_push(it, filter="attributes.a", ack_seconds=10)
    _change(it.state.topics, "sluice-completions", retention_seconds=0)
    _change(it.state.buckets, "demo-project-sluice-results", cors="[]")
    _change_notification(it, prefix="a/")
    status(it)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert "sluice-completions topic, differs: retention seconds 0 in place of 604800" in lines
    assert "sluice-completions subscription" in lines
    assert any(
        line.startswith("sluice-dispatcher subscription, differs: ack seconds 10 in place of 60, filter") for line in lines
    )
    assert any(line.startswith("gs://demo-project-sluice-results bucket, differs: cors; ") for line in lines)
    assert "a notification is only for names that begin with 'a/': other uploads stay unprocessed" in lines
