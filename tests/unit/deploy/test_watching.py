"""Monitoring: definitions are compared by their fingerprints, and the first of two things of one title stays."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import watching
from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.observed import Alert, Channel, Dashboard, Metric
from shared.settings import ROOT
from tests.unit.deploy.example import PIPELINE, WEBHOOKS, deployment


def commands(jobs: object) -> list[Command]:
    return [command for job in jobs for command in job]  # type: ignore[attr-defined]


def watched(folder: Path) -> Deployment:
    """A deployment whose monitoring is as it should be."""
    it = deployment(folder, text=PIPELINE + WEBHOOKS)
    for title, path in watching.alert_titles(it).items():
        it.state.alerts.append(Alert(title, f"policies/{path.stem}", True, watching.rendered(it, path)[1]))
    it.state.dashboards.append(Dashboard(it.title, "7", (f"spec-{watching.rendered(it, watching.DASHBOARD)[1]}",), "ETAG"))
    for name, path in watching.metric_names(it).items():
        definition = json.loads(watching.rendered(it, path)[0])
        it.state.metrics[name] = Metric(definition["description"], definition["filter"])
    return it


def test_monitoring_as_it_should_be_is_left_alone(tmp_path: Path) -> None:
    it = watched(tmp_path)

    assert commands(watching.metrics(it)) + commands(watching.alerts(it)) + commands(watching.dashboard(it)) == []


def test_an_alert_that_is_off_or_of_another_definition_is_updated(tmp_path: Path) -> None:
    it = watched(tmp_path)
    it.state.alerts[0] = replace(it.state.alerts[0], enabled=False)
    it.state.alerts[1] = replace(it.state.alerts[1], spec="1")

    assert [command[3:5] for command in commands(watching.alerts(it))] == [
        ["update", alert.name] for alert in it.state.alerts[:2]
    ]


def test_of_two_of_one_title_the_second_is_deleted(tmp_path: Path) -> None:
    it = watched(tmp_path)
    it.state.alerts.append(replace(it.state.alerts[0], name="policies/second"))
    it.state.dashboards.append(replace(it.state.dashboards[0], name="second", labels=()))

    assert commands(watching.alerts(it)) == [["alpha", "monitoring", "policies", "delete", "policies/second"]]
    assert commands(watching.dashboard(it)) == [["monitoring", "dashboards", "delete", "second"]]


def test_a_dashboard_is_updated_with_the_etag_that_was_read(tmp_path: Path) -> None:
    it = watched(tmp_path)
    it.state.dashboards[0] = replace(it.state.dashboards[0], labels=("spec-1",))

    assert [command[:4] for command in commands(watching.dashboard(it))] == [["monitoring", "dashboards", "update", "7"]]
    assert json.loads((tmp_path / "dashboard.json").read_text())["etag"] == "ETAG"


def test_a_metric_of_another_filter_is_updated(tmp_path: Path) -> None:
    it = watched(tmp_path)
    it.state.metrics["sluice-verdicts"] = Metric("", "nothing")

    assert [command[:4] for command in commands(watching.metrics(it))] == [["logging", "metrics", "update", "sluice-verdicts"]]


def test_another_channel_is_another_definition(tmp_path: Path) -> None:
    it = watched(tmp_path)
    it.channel = "channels/1"

    assert len(commands(watching.alerts(it))) == len(it.state.alerts)
    assert json.loads((tmp_path / "alert-dead-letters.json").read_text())["notificationChannels"] == ["channels/1"]


def test_the_channel_is_the_one_of_our_title_and_address(tmp_path: Path) -> None:
    it = deployment(tmp_path, notify="me@example.com")
    it.state.channels = [
        Channel("On call", "channels/1", "me@example.com"),
        Channel(it.title, "channels/2", "old@example.com"),
        Channel(it.title, "channels/3", "me@example.com"),
    ]
    watching.notification_channel(it, None)  # type: ignore[arg-type]

    assert it.channel == "channels/3"


def test_without_webhooks_there_is_no_alert_about_them(tmp_path: Path) -> None:
    alerts = watched(tmp_path).state.alerts
    (theirs,) = [alert for alert in alerts if alert.title == "Sluice (sluice): webhooks"]
    it = deployment(tmp_path)

    assert len(commands(watching.alerts(it))) == len(alerts) - 1
    it.state.alerts = [theirs]
    assert [command[3:] for command in commands(watching.alerts(it)) if command[3] == "delete"] == [["delete", theirs.name]]


@pytest.mark.parametrize(
    ("minutes", "hours"), [("0", None), ("10", "0.5"), ("60", "3"), ("480", "23.5"), ("720", "23.5"), ("1440", None)]
)
def test_sweeps_are_watched_where_one_of_three_has_to_come_within_what_monitoring_sees(
    minutes: str, hours: str | None, tmp_path: Path
) -> None:
    """Of a sweep a day, the next one would be late each time."""
    it = deployment(tmp_path, sweep_minutes=minutes)
    made = commands(watching.alerts(it))

    assert any("alert-no-sweep.json" in command[-1] for command in made) == (hours is not None)
    if hours:
        policy = json.loads((tmp_path / "alert-no-sweep.json").read_text())
        assert f"No sweep was completed for {hours} hours." in policy["documentation"]["content"]
        (condition,) = policy["conditions"]
        assert condition["conditionThreshold"]["aggregations"][0]["alignmentPeriod"] == f"{float(hours) * 3600:g}s"


@pytest.mark.parametrize("path", sorted((ROOT / watching.ALERTS).glob("*.json")), ids=lambda path: path.stem)
def test_the_advice_of_an_alert_names_headings_that_exist(path: Path) -> None:
    """Such as `docs/deploy.md, Scaling up`."""
    named = re.findall(r"(docs/\w+\.md), ([A-Z][\w ]+?)(?:,|\))", path.read_text())

    assert [it for it in named if not re.search(rf"^#+ {it[1]}$", (ROOT / it[0]).read_text(), re.MULTILINE)] == []


def test_a_stalled_queue_has_more_time_than_its_longest_task(tmp_path: Path) -> None:
    """The slow pool takes up to 900 seconds for a delivery."""
    it = deployment(tmp_path)
    policy = json.loads(watching.rendered(it, watching.ALERTS / "stalled-queue.json")[0])

    assert policy["conditions"][0]["conditionPrometheusQueryLanguage"]["duration"] == "1500s"
    assert "for 25 minutes" in policy["documentation"]["content"]


def test_times_of_alerts_are_whole_minutes(tmp_path: Path) -> None:
    it = deployment(tmp_path, text=PIPELINE.replace("deadline_seconds = 900", "deadline_seconds = 901"))
    policy = json.loads(watching.rendered(it, watching.ALERTS / "stalled-queue.json")[0])

    assert policy["conditions"][0]["conditionPrometheusQueryLanguage"]["duration"] == "1560s"
