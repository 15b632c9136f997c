"""Metrics, alerts and the dashboard cover all of our resources and no others; alerts fire as documented."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from shared.model import Verdict
from shared.settings import ROOT
from tests.deploy.project import HOME, Deployed
from tests.deploy.stub.wire import Json
from tests.deploy.test_up import ALL_SERVICES, QUEUES, WEBHOOKS

OURS = {
    "service_name": ALL_SERVICES,
    "queue_id": [*QUEUES, *(f"webhook-{name}" for name in WEBHOOKS)],
    "subscription_id": ["completions", "dead-letters", "dispatcher", "notifier"],
}
#: Google's lists of metrics, as far as we use them: https://cloud.google.com/monitoring/api/metrics_gcp
DOCUMENTED = {
    "run.googleapis.com/request_count": "cloud_run_revision",
    "run.googleapis.com/request_latencies": "cloud_run_revision",
    "run.googleapis.com/container/instance_count": "cloud_run_revision",
    "run.googleapis.com/container/memory/utilizations": "cloud_run_revision",
    "cloudtasks.googleapis.com/queue/depth": "cloud_tasks_queue",
    "cloudtasks.googleapis.com/queue/task_attempt_count": "cloud_tasks_queue",
    "pubsub.googleapis.com/subscription/num_undelivered_messages": "pubsub_subscription",
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age": "pubsub_subscription",
}
OWN = {
    "logging.googleapis.com/user/sluice-verdicts": "cloud_run_revision",
    "logging.googleapis.com/user/sluice-refusals": "cloud_run_revision",
    "logging.googleapis.com/user/sluice-webhooks": "cloud_run_revision",
}
#: Fields of our log lines: shared/log.py writes JSON, hence no textPayload.
LOGGED = {"resource.type", "resource.labels.service_name", "OR"}
LOGGED |= {f"jsonPayload.{field}" for field in ("code", "verdict", "message", "webhook")}
THRESHOLDS = {"dead letters": [0, 0], "failed ratio": [0.1], "queue depth": [10_000], "server errors": [0.05]}
THRESHOLDS["webhooks"] = [0, 0, 0, 100]
NAMED = re.compile(r'resource\.labels\.(\w+)(=~|=monitoring\.regex\.full_match\(|=)"([^"]+)"')


def filters(value: Any) -> Iterator[str]:
    """Every filter, however deep."""
    if isinstance(value, list):
        for item in value:
            yield from filters(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("filter", "denominatorFilter"):
                yield item
            else:
                yield from filters(item)


def watching(deployed: Deployed, *kinds: str) -> list[str]:
    resources = deployed.first.state["resources"]
    return [text for name, value in resources.items() if any(f"/{kind}/" in name for kind in kinds) for text in filters(value)]


def alert(deployed: Deployed, title: str) -> list[Json]:
    resources = deployed.first.state["resources"]
    (found,) = [value for value in resources.values() if value.get("displayName") == f"Sluice (sluice): {title}"]
    return [condition["conditionThreshold"] for condition in found["conditions"]]


def sees(operator: str, pattern: str, name: str) -> bool:
    if operator == "=~":
        return bool(re.search(pattern, name))
    return bool(re.fullmatch(pattern, name)) if "full_match" in operator else pattern == name


def test_another_deployment_beside_this_one_is_not_watched(deployed: Deployed) -> None:
    """Its prefix may begin as ours does, and its services have our services' names behind it."""
    for text in watching(deployed, "alertPolicies", "dashboards", "metrics"):
        for kind, operator, pattern in NAMED.findall(text):
            assert [name for name in OURS[kind] if sees(operator, pattern, f"sluice-{name}")], text
            assert [name for name in OURS[kind] if sees(operator, pattern, f"sluice-eu-{name}")] == [], text


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        *((kind, "dashboards") for kind in OURS),
        ("service_name", "alertPolicies"),
        ("queue_id", "alertPolicies"),
    ],
)
def test_all_of_ours_is_watched(deployed: Deployed, kind: str, where: str) -> None:
    found = [named for text in watching(deployed, where) for named in NAMED.findall(text) if named[0] == kind]
    found = [named for named in found if not named[2].startswith("sluice-(webhook-")]  # theirs only

    assert found
    for _, operator, pattern in found:
        assert [name for name in OURS[kind] if not sees(operator, pattern, f"sluice-{name}")] == []


def test_every_metric_exists_and_is_asked_of_what_has_it(deployed: Deployed) -> None:
    for text in watching(deployed, "alertPolicies", "dashboards"):
        (metric,), (resource,) = (re.findall(rf'{field}\.type="([^"]+)"', text) for field in ("metric", "resource"))

        assert {**DOCUMENTED, **OWN}.get(metric) == resource, text
        assert metric in OWN or NAMED.search(text), f"whose? {text}"


def test_log_based_metrics_read_fields_that_are_logged(deployed: Deployed) -> None:
    for text in watching(deployed, "metrics"):
        fields = set(re.findall(r"[\w.]+", re.sub(r'"[^"]*"', "", text)))

        assert fields <= LOGGED, text


@pytest.mark.parametrize(("metric", "file"), [("verdicts", "shared/pipeline.py"), ("refusals", "shared/web.py")])
def test_a_metric_counts_a_sentence_that_is_logged_with_its_label(deployed: Deployed, metric: str, file: str) -> None:
    found = deployed.first.state["resources"][f"{HOME}/metrics/sluice-{metric}"]
    (sentence,) = re.findall(r'jsonPayload\.message="([^"]+)"', found["filter"])
    labels = re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", json.dumps(found["labelExtractors"]))

    (call,) = re.findall(rf'log\.\w+\("{sentence}", (.+)\)\n', (ROOT / file).read_text())
    assert all(f"{label}=" in call for label in labels)


def test_the_metric_of_webhooks_counts_what_the_notifier_logs_and_each_alert_is_about_one_of_it(deployed: Deployed) -> None:
    found = deployed.first.state["resources"][f"{HOME}/metrics/sluice-webhooks"]
    sentences = re.findall(r'jsonPayload\.message="([^"]+)"', found["filter"])
    code = "".join(path.read_text() for path in (ROOT / "shared" / "webhooks").glob("*.py"))
    alerts = re.findall(r'metric\.labels\.message="([^"]+)"', json.dumps(alert(deployed, "webhooks")).replace("\\", ""))

    assert [sentence for sentence in sentences if f'log.error("{sentence}", ' not in code] == []
    assert sorted(alerts) == sorted(sentences)


def test_the_alert_about_waiting_notices_is_about_every_webhook(deployed: Deployed) -> None:
    ((_, operator, pattern),) = [
        found for condition in alert(deployed, "webhooks") for found in NAMED.findall(condition["filter"])
    ]

    assert [name for name in OURS["queue_id"] if sees(operator, pattern, f"sluice-{name}")] == [
        f"webhook-{name}" for name in WEBHOOKS
    ]


def test_the_failed_ratio_is_of_failed_and_dead_to_all(deployed: Deployed) -> None:
    (ratio,) = alert(deployed, "failed ratio")
    (pattern,) = re.findall(r'metric\.labels\.verdict=monitoring\.regex\.full_match\("([^"]+)"\)', ratio["filter"])

    assert {word for word in get_args(Verdict) if re.fullmatch(pattern, word)} == {"failed", "dead"}
    assert "verdict=" not in ratio["denominatorFilter"]


def test_server_errors_are_5xx_to_all(deployed: Deployed) -> None:
    (ratio,) = alert(deployed, "server errors")

    assert ratio["filter"] == ratio["denominatorFilter"] + ' AND metric.labels.response_code_class="5xx"'


@pytest.mark.parametrize("title", THRESHOLDS)
def test_an_alert_fires_above_what_it_says(deployed: Deployed, title: str) -> None:
    conditions = alert(deployed, title)

    assert [condition.get("thresholdValue", 0) for condition in conditions] == THRESHOLDS[title]
    assert {condition["comparison"] for condition in conditions} == {"COMPARISON_GT"}
