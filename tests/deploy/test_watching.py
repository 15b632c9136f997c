"""Metrics, alerts and the dashboard cover all of our resources and no others; alerts fire as documented."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from shared.model import Verdict
from shared.settings import ROOT
from tests.deploy.project import HOME, PIPELINE, Deployed
from tests.deploy.stub.wire import Json
from tests.deploy.stub.world import PROJECT
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
    "logging.googleapis.com/user/sluice-guard": "cloud_run_revision",
    "logging.googleapis.com/user/sluice-sweeps": "cloud_run_revision",
}
#: Fields of our log lines: shared/log.py writes JSON, hence no textPayload.
LOGGED = {"resource.type", "resource.labels.service_name", "OR"}
LOGGED |= {f"jsonPayload.{field}" for field in ("code", "verdict", "message", "webhook", "event", "is_complete")}
STALLED = "stalled queue"
THRESHOLDS = {"dead letters": [0, 0], "failed ratio": [0.1], "queue depth": [10_000], "server errors": [0.05]}
THRESHOLDS |= {"webhooks": [0, 0, 0, 100], "task attempts": [0, 0.5], "guard": [0], "unread subscriptions": [24 * 3600]}
#: Every subscription of the topic of notices, whoever made it.
OF_OUR_TOPIC = 'metadata.system_labels.topic_id="sluice-completions"'
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
    some = [f"sluice-({'|'.join(names)})" for names in (QUEUES, [f"webhook-{name}" for name in WEBHOOKS])]
    found = [named for named in found if named[2] not in some]

    assert found
    for _, operator, pattern in found:
        assert [name for name in OURS[kind] if not sees(operator, pattern, f"sluice-{name}")] == []


def test_every_metric_exists_and_is_asked_of_what_has_it(deployed: Deployed) -> None:
    for text in watching(deployed, "alertPolicies", "dashboards"):
        (metric,), (resource,) = (re.findall(rf'{field}\.type="([^"]+)"', text) for field in ("metric", "resource"))

        assert {**DOCUMENTED, **OWN}.get(metric) == resource, text
        assert metric in OWN or NAMED.search(text) or OF_OUR_TOPIC in text, f"whose? {text}"


def test_log_based_metrics_read_fields_that_are_logged(deployed: Deployed) -> None:
    for text in watching(deployed, "metrics"):
        fields = set(re.findall(r"[a-z][\w.]+|OR", re.sub(r'"[^"]*"|=true', "", text)))

        assert fields <= LOGGED, text


GUARD = "shared/operations/guard.py"


@pytest.mark.parametrize(
    ("metric", "file"),
    [
        ("verdicts", "shared/pipeline.py"),
        ("refusals", "shared/web.py"),
        ("sweeps", "shared/operations/sweep.py"),
        pytest.param("guard", GUARD, marks=pytest.mark.skipif(not (ROOT / GUARD).exists(), reason="there is no guard")),
    ],
)
def test_a_metric_counts_a_sentence_that_is_logged_with_its_label(deployed: Deployed, metric: str, file: str) -> None:
    found = deployed.first.state["resources"][f"{HOME}/metrics/sluice-{metric}"]
    (sentence,) = re.findall(r'jsonPayload\.message="([^"]+)"', found["filter"])
    labels = re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", json.dumps(found.get("labelExtractors", {})))
    labels += re.findall(r'jsonPayload\.(event)="guard"', found["filter"])

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


# ---- task attempts: Cloud Tasks names the response by its number or by its canonical word

SUCCESSES, REFUSALS = ["200", "204", "OK", "ok"], ["401", "403", "404", "PERMISSION_DENIED", "unauthenticated"]
FAILURES = [*REFUSALS, "429", "500", "503", "UNAVAILABLE", "DEADLINE_EXCEEDED", ""]


def codes(text: str) -> tuple[str, set[str]]:
    """The operator of a filter on response codes, and the codes that its pattern matches."""
    ((operator, pattern),) = re.findall(r'response_code(!=|=)monitoring\.regex\.full_match\("([^"]+)"\)', text)
    return operator, {code for code in [*SUCCESSES, *FAILURES] if re.fullmatch(pattern, code)}


def test_attempts_that_are_refused_and_those_without_success_alert(deployed: Deployed) -> None:
    refused, failed = alert(deployed, "task attempts")

    assert codes(refused["filter"]) == ("=", set(REFUSALS))
    assert codes(failed["filter"]) == ("!=", set(SUCCESSES))
    assert failed["filter"].startswith(failed["denominatorFilter"])
    assert "response_code" not in failed["denominatorFilter"]


def test_a_receiver_that_is_away_is_no_failed_attempt_of_ours(deployed: Deployed) -> None:
    patterns = [NAMED.findall(condition["filter"])[0] for condition in alert(deployed, "task attempts")]
    watched = [{name for name in OURS["queue_id"] if sees(how, one, f"sluice-{name}")} for _, how, one in patterns]

    assert watched == [set(OURS["queue_id"]), set(QUEUES)]


# ---- a queue that waits


def test_a_queue_with_tasks_in_which_none_succeeds_is_stalled(deployed: Deployed) -> None:
    (policy,) = [
        value
        for value in deployed.first.state["resources"].values()
        if value.get("displayName") == f"Sluice (sluice): {STALLED}"
    ]
    (condition,) = [one["conditionPrometheusQueryLanguage"] for one in policy["conditions"]]
    depth, done = condition["query"].split(" unless on (queue_id) ")
    longest = max(pool["deadline_seconds"] for pool in tomllib.loads(PIPELINE.read_text())["pools"].values())

    assert condition["duration"] == f"{-(-longest // 60) * 60 + 600}s"
    assert (depth.endswith(" > 0"), done.endswith("[5m])) > 0")) == (True, True)
    for text, metric in ((depth, "queue/depth"), (done, "queue/task_attempt_count")):
        ((name, project, pattern),) = re.findall(r'(\w+:\w+)\{.*project_id="([^"]+)",queue_id=~"([^"]+)"', text)
        assert name == f"cloudtasks.googleapis.com/{metric}".replace("/", ":", 1).replace("/", "_").replace(".", "_")
        assert (project, [one for one in OURS["queue_id"] if re.fullmatch(pattern, f"sluice-{one}")]) == (PROJECT, list(QUEUES))
    (successes,) = re.findall(r'response_code=~"([^"]+)"', done)
    assert [code for code in [*SUCCESSES, *FAILURES] if re.fullmatch(successes, code)] == SUCCESSES


# ---- sweeps


def test_three_periods_without_a_complete_sweep_alert_also_where_no_line_comes(deployed: Deployed) -> None:
    (condition,) = alert(deployed, "no sweep")
    ((aggregation,),) = [condition["aggregations"]]

    assert (condition["comparison"], condition["thresholdValue"]) == ("COMPARISON_LT", 1)
    assert (condition["evaluationMissingData"], condition["duration"]) == ("EVALUATION_MISSING_DATA_ACTIVE", "60s")
    assert aggregation["alignmentPeriod"] == "10800s"
    assert "jsonPayload.is_complete=true" in deployed.first.state["resources"][f"{HOME}/metrics/sluice-sweeps"]["filter"]
