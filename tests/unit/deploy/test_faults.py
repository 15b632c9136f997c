"""Faults of doctor that are nearly none, and states that are nearly faults."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.deployment import Deployment
from deploy.doctor import doctor
from deploy.errors import Failed
from deploy.kinds import Grant, Notification, Service
from tests.unit.deploy.example import PIPELINE, WEBHOOKS
from tests.unit.deploy.test_doctor import found, healthy

UPLOADS, RESULTS = "demo-project-sluice-uploads", "demo-project-sluice-results"
DISPATCHER = "https://sluice-dispatcher-42.us-central1.run.app"
Change = Callable[[Deployment], None]


def push(**fields: str) -> Change:
    """A change of the subscription that pushes to the dispatcher."""
    return lambda it: it.state.subscriptions.update(
        {"sluice-dispatcher": replace(it.state.subscriptions["sluice-dispatcher"], **fields)}  # type: ignore[arg-type]
    )


def queue(**fields: str) -> Change:
    return lambda it: it.state.queues.update({"sluice-images": replace(it.state.queues["sluice-images"], **fields)})  # type: ignore[arg-type]


def buckets_of_upload(**variables: str) -> Change:
    return lambda it: it.state.services.update({"sluice-upload": Service(variables=variables)})


def notified(bucket: str, topic: str) -> Change:
    """A further notification of this bucket, without payload."""
    return lambda it: it.state.notifications.setdefault(bucket, []).append(
        Notification("2", f"demo-project/topics/{topic}", "NONE", ("OBJECT_FINALIZE",))
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda it: it.state.policies["service:dispatcher"].append(Grant("roles/run.invoker", "allUsers")),
         "strangers may call sluice-dispatcher"),
        (lambda it: it.state.policies.pop("service:dispatcher"), "Pub/Sub may not call the dispatcher (missing invoker)"),
        (lambda it: it.state.policies.pop("account:push"), "Pub/Sub may not make the tokens of sluice-push@demo-project"),
        (lambda it: it.state.policies.pop("topic:dead-letters"), "Pub/Sub may not publish dead letters (missing grant)"),
        (lambda it: it.state.policies.pop("topic:uploads"), "Cloud Storage may not publish to sluice-uploads"),
        (push(audience=f"{DISPATCHER}/"), f"wrong audience: pushes carry tokens for '{DISPATCHER}/', the dispatcher takes"),
        (push(endpoint=f"{DISPATCHER}.test/"), f"pushes go to {DISPATCHER}.test/"),
        (lambda it: it.state.subscriptions.pop("sluice-dead-letters"), "the dead-letter topic has no subscription"),
        (queue(state="DISABLED"), "paused queue: sluice-images delivers nothing"),
        (queue(account="sluice-push@demo-project.iam.gserviceaccount.com"), "wrong audience or account: sluice-images calls"),
        (buckets_of_upload(SLUICE_UPLOADS_BUCKET=UPLOADS, SLUICE_RESULTS_BUCKET=UPLOADS), "overlapping buckets: sluice-upload"),
        (notified("results", "sluice-uploads"), "overlapping buckets: the results bucket notifies sluice-uploads too"),
        (notified("uploads", "sluice-uploads"), "is announced 2 times"),
        (notified("uploads", "sluice-uploads"), "a notification carries no payload: the dispatcher cannot read it"),
    ],
)  # fmt: skip
def test_doctor_ends_with_a_fault(change: Change, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = healthy(tmp_path)
    change(it)
    with pytest.raises(Failed, match="faults found"):
        doctor(it)

    assert fault in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        buckets_of_upload(SLUICE_UPLOADS_BUCKET=UPLOADS, SLUICE_RESULTS_BUCKET=RESULTS),
        notified("results", "others"),
        notified("uploads", "others"),
        push(endpoint=f"{DISPATCHER}/another/path"),
        lambda it: it.state.subscriptions.update(
            a=replace(it.state.subscriptions["sluice-dispatcher"], endpoint=f"{DISPATCHER}.test/")
        ),
        lambda it: it.state.buckets.update({UPLOADS: replace(it.state.buckets[UPLOADS], paused=frozenset({"images"}))}),
    ],
)  # fmt: skip
def test_doctor_has_nothing_to_say(change: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = healthy(tmp_path)
    change(it)
    doctor(it)

    assert capsys.readouterr().out.splitlines()[-1] == "No fault found."


def test_another_notification_is_none_of_ours(tmp_path: Path) -> None:
    it = healthy(tmp_path)
    it.state.notifications.clear()
    notified("uploads", "others")(it)

    assert found(it) == ["the uploads bucket has no notification: uploads stay unprocessed"]


@pytest.mark.parametrize("field", ["audience", "account", "endpoint"])
def test_a_wrong_push_to_the_notifier_is_one_fault(field: str, tmp_path: Path) -> None:
    it = healthy(tmp_path, PIPELINE + WEBHOOKS)
    assert found(it) == []
    changed: dict[str, str] = {field: "elsewhere"}
    it.state.subscriptions["sluice-notifier"] = replace(it.state.subscriptions["sluice-notifier"], **changed)  # type: ignore[arg-type]

    (fault,) = found(it)
    assert fault.startswith("wrong audience, account or endpoint: sluice-notifier pushes notices")


def test_strangers_beside_the_callers_of_the_notifier_are_a_fault(tmp_path: Path) -> None:
    it = healthy(tmp_path, PIPELINE + WEBHOOKS)
    it.state.policies["service:notifier"].append(Grant("roles/run.invoker", "allUsers"))

    assert found(it) == ["strangers may call sluice-notifier"]
