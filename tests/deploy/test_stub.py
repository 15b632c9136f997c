"""The stub refuses what production refuses; otherwise a green test of deploy.sh would prove nothing."""

import json
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.stub.proxy import Stub
from tests.deploy.stub.wire import Call
from tests.deploy.stub.world import NUMBER, PROJECT

Ask = Callable[..., tuple[int, Any]]
HOME = f"/v1/projects/{PROJECT}"
AGENT = f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask a stub in which everything is enabled, without a network: status and answer."""
    stub = Stub(tmp_path)
    stub.enable("artifactregistry", "cloudbuild", "cloudtasks", "iam", "pubsub", "run")
    return lambda api, method, target, body=None: _ask(stub, api, method, target, body)


def test_gcloud_reads_and_writes_policies_through_the_proxy(stub: Stub, gcloud_environment: dict[str, str]) -> None:
    stub.enable("pubsub")
    cell = ["--member=user:somebody@example.com", "--role=roles/pubsub.viewer"]
    for command in (["create", "t"], ["add-iam-policy-binding", "t", *cell]):
        done = subprocess.run(
            ["gcloud", "pubsub", "topics", *command], env=gcloud_environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr

    asked = [(line["method"], line["path"].rpartition("/")[2], line["status"]) for line in stub.requests()]
    assert asked == [("PUT", "t", 200), ("GET", "t:getIamPolicy", 200), ("POST", "t:setIamPolicy", 200)]
    assert [line["path"].rpartition("/")[2] for line in stub.mutations()] == ["t", "t:setIamPolicy"]
    bindings = [{"role": "roles/pubsub.viewer", "members": ["user:somebody@example.com"]}]
    assert stub.state()["policies"][f"projects/{PROJECT}/topics/t"]["bindings"] == bindings


def test_its_own_controls_are_plain_http(stub: Stub) -> None:
    address = f"http://127.0.0.1:{stub.port}"
    fault = json.dumps({"match": "GET .*/projects/", "n": 1, "code": 403, "message": "denied"}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{address}/fault", fault)).close()

    assert [_ask(stub, "cloudresourcemanager", "GET", HOME)[0] for _ in range(2)] == [403, 200]
    with urllib.request.urlopen(f"{address}/state") as answer:
        assert list(json.load(answer)["resources"]) == [f"projects/{PROJECT}"]


def test_what_it_does_not_know_is_400_and_recorded(tmp_path: Path) -> None:
    stub = Stub(tmp_path)
    answers = [
        _ask(stub, "cloudresourcemanager", "GET", "/v9/nothing")[0],
        _ask(stub, "vision", "GET", "/v1/images")[0],
        _code(stub, Call("CONNECT", "example.com", "/")),
    ]

    assert answers == [400, 400, 400]
    assert [line["status"] for line in stub.requests()] == [400, 400, 400]


def test_an_api_that_is_not_enabled_answers_nothing(tmp_path: Path) -> None:
    code, answer = _ask(Stub(tmp_path), "pubsub", "GET", f"{HOME}/topics")

    assert (code, answer["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")


def test_nothing_is_made_twice(ask: Ask) -> None:
    assert [ask("pubsub", "PUT", f"{HOME}/topics/t", {})[0] for _ in range(2)] == [200, 409]


def test_a_policy_is_written_only_with_a_fresh_etag(ask: Ask) -> None:
    ask("pubsub", "PUT", f"{HOME}/topics/t", {})
    policy = ask("pubsub", "GET", f"{HOME}/topics/t:getIamPolicy")[1]
    written = [ask("pubsub", "POST", f"{HOME}/topics/t:setIamPolicy", {"policy": policy})[0] for _ in range(2)]

    assert written == [200, 409]


def test_a_member_that_does_not_exist_cannot_be_bound(ask: Ask) -> None:
    assert _bind(ask, "roles/pubsub.viewer", f"nobody@{PROJECT}.iam.gserviceaccount.com")[0] == 400
    assert _bind(ask, "roles/pubsub.publisher", AGENT)[0] == 400
    assert _bind(ask, "roles/run.invoker", f"service-{NUMBER}@gcp-sa-iap.iam.gserviceaccount.com")[0] == 400


def test_a_deleted_account_stays_behind_in_policies(ask: Ask) -> None:
    ask("iam", "POST", f"{HOME}/serviceAccounts", {"accountId": "sluice-push"})
    email = f"sluice-push@{PROJECT}.iam.gserviceaccount.com"
    _bind(ask, "roles/pubsub.viewer", email)
    ask("iam", "DELETE", f"{HOME}/serviceAccounts/{email}")

    (member,) = ask("pubsub", "GET", f"{HOME}/topics/t:getIamPolicy")[1]["bindings"][0]["members"]
    assert member.startswith(f"deleted:serviceAccount:{email}?uid=")


def test_a_bucket_notifies_only_when_its_agent_may_publish(ask: Ask) -> None:
    ask("storage", "POST", "/storage/v1/b", {"name": "uploads"})
    ask("pubsub", "PUT", f"{HOME}/topics/t", {})
    wanted = "/storage/v1/b/uploads/notificationConfigs", {"topic": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/t"}
    before = ask("storage", "POST", *wanted)[0]
    ask("storage", "GET", f"/storage/v1/projects/{PROJECT}/serviceAccount")
    _bind(ask, "roles/pubsub.publisher", AGENT)

    assert (before, ask("storage", "POST", *wanted)[0]) == (403, 200)


@pytest.mark.parametrize(
    "wanted",
    [
        {"topic": f"projects/{PROJECT}/topics/missing"},
        {"deadLetterPolicy": {"deadLetterTopic": f"projects/{PROJECT}/topics/missing"}},
        {
            "pushConfig": {
                "pushEndpoint": "https://x",
                "oidcToken": {"serviceAccountEmail": f"no@{PROJECT}.iam.gserviceaccount.com"},
            }
        },
        {"pushConfig": {"pushEndpoint": "http://x"}},
        {"ackDeadlineSeconds": 601},
    ],
    ids=["topic", "dead-letter topic", "account", "endpoint", "deadline"],
)
def test_a_subscription_to_what_is_missing_is_refused(ask: Ask, wanted: dict[str, Any]) -> None:
    ask("pubsub", "PUT", f"{HOME}/topics/t", {})
    code, _ = ask("pubsub", "PUT", f"{HOME}/subscriptions/s", {"topic": f"projects/{PROJECT}/topics/t", **wanted})

    assert code in (400, 404)


def test_a_deleted_queue_cannot_be_had_again_at_once(ask: Ask) -> None:
    queues = f"/v2/projects/{PROJECT}/locations/us-central1/queues"
    create = "cloudtasks", "POST", queues, {"name": queues.removeprefix("/v2/") + "/q"}
    made = ask(*create)[0]
    ask("cloudtasks", "DELETE", f"{queues}/q")

    assert (made, ask(*create)[0]) == (200, 400)


def test_a_service_needs_its_account_and_its_image(ask: Ask) -> None:
    services = f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}/services"
    container = {"image": f"us-central1-docker.pkg.dev/{PROJECT}/r/i@sha256:0"}
    spec = {"serviceAccountName": f"sluice-upload@{PROJECT}.iam.gserviceaccount.com", "containers": [container]}
    body = {"metadata": {"name": "s"}, "spec": {"template": {"spec": spec}}}
    without_account = ask("us-central1-run", "POST", services, body)[0]
    ask("iam", "POST", f"{HOME}/serviceAccounts", {"accountId": "sluice-upload"})
    without_image = ask("us-central1-run", "POST", services, body)[0]
    container["image"] = "us-docker.pkg.dev/cloudrun/container/hello:latest"
    elsewhere = ask("us-central1-run", "POST", services, body)[0]

    assert (without_account, without_image, elsewhere) == (403, 400, 200)


@pytest.mark.parametrize(
    ("instances", "cpu", "memory", "code"),
    [
        (9, "2", "4Gi", 200),
        (10, "2", "4Gi", 200),
        (11, "2", "1Gi", 400),
        (11, "1", "4Gi", 400),
        (1, "3", "4Gi", 400),
        (1, "1", "5Gi", 400),
        (1, "4", "1Gi", 400),
        (1, "6", "25Gi", 400),
    ],
)
def test_a_service_has_the_sizes_and_the_quota_of_a_new_project(
    ask: Ask, instances: int, cpu: str, memory: str, code: int
) -> None:
    ask("iam", "POST", f"{HOME}/serviceAccounts", {"accountId": "sluice-upload"})
    container = {"image": "us-docker.pkg.dev/cloudrun/container/hello", "resources": {"limits": {"cpu": cpu, "memory": memory}}}
    spec = {"serviceAccountName": f"sluice-upload@{PROJECT}.iam.gserviceaccount.com", "containers": [container]}
    scale = {"annotations": {"autoscaling.knative.dev/maxScale": str(instances)}}
    body = {"metadata": {"name": "s"}, "spec": {"template": {"metadata": scale, "spec": spec}}}

    assert ask("us-central1-run", "POST", f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}/services", body)[0] == code


def test_an_alert_needs_its_metric(ask: Ask) -> None:
    body = {"conditions": [{"conditionThreshold": {"filter": 'metric.type="logging.googleapis.com/user/m"'}}]}
    before = ask("monitoring", "POST", f"/v3/projects/{PROJECT}/alertPolicies", body)[0]
    ask("logging", "POST", f"/v2/projects/{PROJECT}/metrics", {"name": "m", "filter": "severity=ERROR"})

    assert (before, ask("monitoring", "POST", f"/v3/projects/{PROJECT}/alertPolicies", body)[0]) == (404, 200)


def test_a_filter_of_log_entries_is_refused_unless_it_is_of_terms_that_the_stub_reads(ask: Ask) -> None:
    term = 'jsonPayload.message="ended"'

    assert ask("logging", "POST", "/v2/entries:list", {"filter": f'{term} AND (a.b="c")'}) == (200, {"entries": []})
    assert ask("logging", "POST", "/v2/entries:list", {"filter": f"{term} AND NOT a:b"})[0] == 400


def _bind(ask: Ask, role: str, email: str) -> tuple[int, Any]:
    ask("pubsub", "PUT", f"{HOME}/topics/t", {})
    policy = {"bindings": [{"role": role, "members": [f"serviceAccount:{email}"]}]}
    return ask("pubsub", "POST", f"{HOME}/topics/t:setIamPolicy", {"policy": policy})


def _ask(stub: Stub, api: str, method: str, target: str, body: Any = None) -> tuple[int, Any]:
    raw = b"" if body is None else json.dumps(body).encode()
    answer = stub.answer(Call(method, f"{api}.googleapis.com", target, {}, raw))
    assert answer is not None
    return answer.code, json.loads(answer.body)


def _code(stub: Stub, call: Call) -> int:
    answer = stub.answer(call)
    assert answer is not None
    return answer.code
