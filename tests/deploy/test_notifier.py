"""Webhooks and the secret of the idempotency keys, as `up` makes them by the real gcloud."""

import base64
import json

from tests.deploy.project import HOME, PLACE, SECRETS, SERVICES, WEBHOOK_SECRETS, Deployed, account, url
from tests.deploy.stub.wire import Json
from tests.deploy.test_up import ALL_SERVICES, container

KEYS = f"{SECRETS}sluice-keys"


def secret_variables(deployed: Deployed, name: str) -> dict[str, Json]:
    """The variables of a service that Cloud Run takes from Secret Manager: their secrets and versions."""
    found = container(deployed.first.state["resources"][SERVICES + name])["env"]
    return {item["name"]: item["valueFrom"]["secretKeyRef"] for item in found if "valueFrom" in item}


def test_notices_are_pushed_to_the_notifier_and_never_put_aside(deployed: Deployed) -> None:
    subscription = deployed.first.state["resources"][f"{HOME}/subscriptions/sluice-notifier"]

    assert subscription["topic"] == f"{HOME}/topics/sluice-completions"
    assert subscription["pushConfig"]["pushEndpoint"] == url("notifier")
    assert subscription["pushConfig"]["oidcToken"] == {"serviceAccountEmail": account("push"), "audience": url("notifier")}
    assert (subscription["expirationPolicy"], "deadLetterPolicy" in subscription) == ({}, False)


def test_each_webhook_has_a_queue_of_its_own_that_calls_the_notifier_for_three_days(deployed: Deployed) -> None:
    for name in ("orders", "audit"):
        queue = deployed.first.state["resources"][f"{PLACE}/queues/sluice-webhook-{name}"]

        assert f"https://{queue['httpTarget']['uriOverride']['host']}" == url("notifier")
        assert queue["httpTarget"]["oidcToken"] == {"serviceAccountEmail": account("tasks"), "audience": url("notifier")}
        assert not queue["httpTarget"]["uriOverride"].get("pathOverride")  # the task's own path stays
        assert (queue["retryConfig"]["maxRetryDuration"], queue["retryConfig"]["maxBackoff"]) == ("259200s", "3600s")


def test_the_notifier_reads_the_newest_version_of_each_secret_from_a_file(deployed: Deployed) -> None:
    service = deployed.first.state["resources"][f"{SERVICES}notifier"]
    spec = service["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume["secret"] for volume in spec["volumes"]}
    files = {mount["mountPath"]: volumes[mount["name"]] for mount in container(service)["volumeMounts"]}

    assert files == {
        f"/secrets/{name}": {"secretName": name, "items": [{"key": "latest", "path": "value"}]} for name in WEBHOOK_SECRETS
    }


def test_upload_and_issuer_alone_have_the_secret_of_the_keys(deployed: Deployed) -> None:
    given = {name: found for name in ALL_SERVICES if (found := secret_variables(deployed, name))}

    right = {"SLUICE_KEY_SECRET": {"name": "sluice-keys", "key": "1"}}
    assert given == {"upload": right, "issuer": right}


def test_the_secret_is_random_and_stays_in_one_region(deployed: Deployed) -> None:
    value = base64.b64decode(deployed.kept["contents"][f"{KEYS}/versions/1"])
    replicas = deployed.first.state["resources"][KEYS]["replication"]["userManaged"]["replicas"]

    assert len(bytes.fromhex(value.decode())) == 32
    assert [replica["location"] for replica in replicas] == ["us-central1"]


def test_the_secret_is_sent_once_and_printed_never(deployed: Deployed) -> None:
    payload = deployed.kept["contents"][f"{KEYS}/versions/1"].decode()
    value = base64.b64decode(payload).decode()
    sent = [line["path"] for line in deployed.first.requests if payload in json.dumps(line) or value in json.dumps(line)]

    assert [path.rpartition("/")[2] for path in sent] == ["sluice-keys:addVersion"]
    for run in (deployed.plan, deployed.first, deployed.second):
        assert value not in run.printed + run.complaints + json.dumps(run.state)


def test_up_reads_no_secret(deployed: Deployed) -> None:
    assert [line["path"] for line in deployed.second.requests if line["path"].endswith(":access")] == []
