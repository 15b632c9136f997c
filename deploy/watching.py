"""Monitoring: metrics, alerts and their channel, the dashboard. Their templates are JSON files in deploy/."""

import json
from collections.abc import Iterator
from pathlib import Path

from deploy.deployment import Deployment, fingerprint
from deploy.gcloud import Command
from deploy.left import serving
from deploy.observed import Metric
from deploy.running import Runner

METRICS = Path("deploy/metrics")
ALERTS = Path("deploy/alerts")
#: The alert that is about webhooks only, and the one about sweeps.
OF_WEBHOOKS, OF_SWEEPS = ALERTS / "webhooks.json", ALERTS / "no-sweep.json"
#: The time without a success, beyond that of the longest delivery, after which a queue with tasks is stalled.
STALLED_MINUTES = 10
#: The sweeps of which one has to be completed, within what Cloud Monitoring looks back on.
SWEEPS, MAX_SWEEP_SECONDS = 3, 84_600
DASHBOARD = Path("deploy/dashboard.json")


def metric_names(deployment: Deployment) -> dict[str, Path]:
    """The full name of every metric, and its template."""
    return {deployment.full(path.stem): path for path in sorted(METRICS.glob("*.json"))}


def alert_titles(deployment: Deployment) -> dict[str, Path]:
    """The title of every alert, and its template."""
    return {f"{deployment.title}: {path.stem.replace('-', ' ')}": path for path in sorted(ALERTS.glob("*.json"))}


def metrics(deployment: Deployment) -> Iterator[list[Command]]:
    """Every log-based metric. Its description ends with the fingerprint of its definition."""
    for name, path in metric_names(deployment).items():
        definition = json.loads(rendered(deployment, path)[0])
        wanted, found = Metric(definition["description"], definition["filter"]), deployment.state.metrics.get(name)
        file = deployment.write(f"metric-{name}.json", json.dumps(definition))
        if found != wanted:
            yield [["logging", "metrics", "update" if found else "create", name, f"--config-from-file={file}"]]


def notification_channel(deployment: Deployment, runner: Runner) -> None:
    """The channel that alerts are sent to: one with our title; channels of others to the same address stay theirs."""
    address = deployment.options.notify
    if not address:
        return
    ours = [it.name for it in deployment.state.channels if (it.title, it.address) == (deployment.title, address)]
    create = ["beta", "monitoring", "channels", "create", f"--display-name={deployment.title}", "--type=email"]
    create += [f"--channel-labels=email_address={address}", "--format=value(name)"]
    deployment.channel = ours[-1] if ours else runner.ask(create, f"CHANNEL-OF-{address}")


def alerts(deployment: Deployment) -> Iterator[list[Command]]:
    """Every alert; that of webhooks only where there are some, that of sweeps only where they are often enough.

    One tuned in the console stays so until our definition changes; one switched off is switched on.
    """
    group = deployment.state.alert_group
    for title, path in alert_titles(deployment).items():
        content, spec = rendered(deployment, path)
        flag = f"--policy-from-file={deployment.write(f'alert-{path.name}', content)}"
        found = [alert for alert in deployment.state.alerts if alert.title == title]
        is_wanted = {OF_WEBHOOKS: bool(deployment.webhooks), OF_SWEEPS: _is_watched(deployment)}.get(path, True)
        yield from ([[*group, "delete", other.name]] for other in found[is_wanted:])
        if is_wanted and not found:
            yield [[*group, "create", flag]]
        elif is_wanted and (found[0].enabled, found[0].spec) != (True, spec):
            yield [[*group, "update", found[0].name, flag]]


def _sweep_seconds(deployment: Deployment) -> int:
    """The time in which a sweep has to be completed; 0 where there are none."""
    return min(SWEEPS * int(deployment.options.sweep_minutes) * 60, MAX_SWEEP_SECONDS)


def _is_watched(deployment: Deployment) -> bool:
    """Whether there are sweeps, and one that fails is seen before the next one has to be over."""
    return 0 < int(deployment.options.sweep_minutes) * 60 < _sweep_seconds(deployment)


def dashboard(deployment: Deployment) -> Iterator[list[Command]]:
    """The dashboard; of two with our title the first stays."""
    group = ["monitoring", "dashboards"]
    content, spec = rendered(deployment, DASHBOARD)
    found = [dashboard for dashboard in deployment.state.dashboards if dashboard.title == deployment.title]
    yield from ([[*group, "delete", other.name]] for other in found[1:])
    if found:
        content = json.dumps({"etag": found[0].etag, **json.loads(content)})
    flag = f"--config-from-file={deployment.write('dashboard.json', content)}"
    if not found:
        yield [[*group, "create", flag]]
    elif found[0].labels != (f"spec-{spec}",):
        yield [[*group, "update", found[0].name, flag]]


def rendered(deployment: Deployment, template: Path) -> tuple[str, str]:
    """A template with its names and times filled in, and the fingerprint that it carries as @SPEC@."""
    content = template.read_text()
    for placeholder, value in {**_names(deployment), **_times(deployment)}.items():
        content = content.replace(placeholder, value)
    spec = fingerprint(content)
    return content.replace("@SPEC@", spec), spec


def _names(deployment: Deployment) -> dict[str, str]:
    """Resources are named one by one, not by prefix: another deployment may be called PREFIX-eu."""
    return {
        "@PREFIX@": deployment.options.prefix,
        "@PROJECT@": deployment.options.project,
        "@SERVICES@": "|".join(map(deployment.short, [*deployment.listing.services, *serving(deployment)])),
        "@PROCESSORS@": "|".join(map(deployment.short, [*deployment.pools, *serving(deployment)])),
        "@QUEUES@": "|".join(deployment.every_queue),
        "@STEP_QUEUES@": "|".join(deployment.queues),
        "@WEBHOOKS@": "|".join(deployment.webhooks),
        "@SUBSCRIPTIONS@": "|".join(deployment.listing.subscriptions),
        '"@CHANNEL@"': json.dumps(deployment.channel) if deployment.channel else "",
    }


def _times(deployment: Deployment) -> dict[str, str]:
    """Conditions take whole minutes."""
    longest = max(pool.deadline_seconds for pool in deployment.pools.values())
    stalled, sweep = -(-longest // 60) + STALLED_MINUTES, _sweep_seconds(deployment)
    return {
        "@STALLED_SECONDS@": str(stalled * 60),
        "@STALLED_MINUTES@": str(stalled),
        "@SWEEP_SECONDS@": str(sweep),
        "@SWEEP_HOURS@": f"{sweep / 3600:g}",
    }
