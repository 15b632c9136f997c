"""`down`: remove everything, in an order that leaves no reference to a deleted resource.

Uploads, results and waiting tasks stay, unless --delete-data. The queues stay too, paused: the name of a deleted queue is
blocked for days. So does the secret of the idempotency keys: a repeat finds the object it made. `up` resumes all of it. Custom
roles stay too, whose names are blocked for weeks; a role alone gives no right.
"""

import re
import sys
from collections.abc import Iterator

from deploy import budget, grants, scheduler, watching
from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import Command
from deploy.left import left, queues
from deploy.listing import NOTIFIER
from deploy.pubsub import remove_notification
from deploy.queues import labels_of_paused, paused
from deploy.running import Runner
from shared.sweep_part import WINDOW_DAYS

Jobs = Iterator[list[Command]]


def stays(resource: str) -> bool:
    """Whether `down` leaves a resource with a policy behind."""
    return bool(re.fullmatch(r"project|(queue|own-queue|webhook|secret|webhook-secret):.*|bucket:(uploads|results)", resource))


def revokes(resource: str) -> bool:
    """Whether `down` looks at the grants on a resource."""
    return stays(resource) or resource.startswith("iap:")


def down(deployment: Deployment, runner: Runner) -> None:
    """Remove everything. Raises Failed when data would be deleted without consent, or a command is refused."""
    if deployment.options.delete_data and not deployment.options.yes:
        _ask_for_consent(deployment)
    _warn(deployment)
    for title, jobs in _steps(deployment):
        runner.step(title)
        for job in jobs:
            runner.start(job)
    runner.wait()


def _ask_for_consent(deployment: Deployment) -> None:
    """Ask at a terminal; a script has to pass --yes."""
    project, prefix = deployment.options.project, deployment.options.prefix
    if not sys.stdin.isatty():
        raise Failed(
            f"--delete-data deletes every upload and result of {project}, prefix {prefix}, for ever: say --yes too; "
            "nothing was changed"
        )
    question = f"This deletes every upload and result of {project} for ever. Type the prefix, {prefix}, to go on: "
    print(question, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != prefix:
        raise Failed("that is not the prefix; nothing was changed")


def _warn(deployment: Deployment) -> None:
    full = deployment.full("dispatcher")
    if full in deployment.state.subscriptions and not deployment.options.delete_data:
        found = f"a sweep after the next up finds their files, for {WINDOW_DAYS} days"
        warning = f"warning: the subscription {full} is deleted with the notifications that wait in it; {found}."
        print(warning, file=sys.stderr, flush=True)


def _steps(deployment: Deployment) -> Iterator[tuple[str, Jobs]]:
    yield "Notification: no new file is processed", _notifications(deployment)
    yield "Schedule: no sweep begins", scheduler.removal(deployment)
    yield "Labels of the uploads bucket: `up` may resume these queues", _labels(deployment)
    yield "Queues, paused", _queues(deployment)
    yield "Budget", budget.removal(deployment)
    yield "Alerts, dashboard", _watching(deployment)
    yield "Metrics, which alerts used until now; the channel", _metrics(deployment)
    yield "Viewers of the console: Identity-Aware Proxy may keep them for a later service of this name", _viewers(deployment)
    yield "Services and subscriptions", _services(deployment)
    yield "Topics and images", _topics(deployment)
    yield "Grants of our accounts on what stays: else policies keep deleted accounts for ever", _revocations(deployment)
    yield "Accounts", _accounts(deployment)
    yield "Buckets, secrets", _buckets(deployment)


def _notifications(deployment: Deployment) -> Jobs:
    for found in deployment.state.notifications.get("uploads", []):
        if found.topic == deployment.topic_of_uploads:
            yield [remove_notification(deployment, "uploads", found.id)]


def _labels(deployment: Deployment) -> Jobs:
    running = [name for name in _every_queue(deployment) if deployment.full(name) in deployment.state.queues]
    labels = labels_of_paused(name for name in running if name not in paused(deployment))
    if labels and deployment.bucket("uploads") in deployment.state.buckets:
        yield [["storage", "buckets", "update", f"gs://{deployment.bucket('uploads')}", f"--update-labels={','.join(labels)}"]]


def _every_queue(deployment: Deployment) -> list[str]:
    return [*deployment.every_queue, *queues(deployment)]


def _queues(deployment: Deployment) -> Jobs:
    for name in _every_queue(deployment):
        full, found = deployment.full(name), deployment.state.queues.get(deployment.full(name))
        if found and found.state != "PAUSED":
            yield [["tasks", "queues", "pause", full, deployment.at_location]]
        if name in deployment.state.waiting and deployment.options.delete_data:
            yield [["tasks", "queues", "purge", full, deployment.at_location]]


def _watching(deployment: Deployment) -> Jobs:
    for alert in deployment.state.alerts:
        if alert.title in watching.alert_titles(deployment):
            yield [[*deployment.state.alert_group, "delete", alert.name]]
    for dashboard in deployment.state.dashboards:
        if dashboard.title == deployment.title:
            yield [["monitoring", "dashboards", "delete", dashboard.name]]


def _metrics(deployment: Deployment) -> Jobs:
    for name in watching.metric_names(deployment):
        if name in deployment.state.metrics:
            yield [["logging", "metrics", "delete", name]]
    for channel in deployment.state.channels:
        if channel.title == deployment.title:
            yield [["beta", "monitoring", "channels", "delete", channel.name]]


def _viewers(deployment: Deployment) -> Jobs:
    yield from grants.revoke(deployment, "iap:console", [])


def _services(deployment: Deployment) -> Jobs:
    for full in map(deployment.short, [*deployment.listing.services, *left(deployment)]):
        if full in deployment.state.services:
            yield [["run", "services", "delete", full, deployment.in_region]]
    for full in map(deployment.full, dict.fromkeys([*deployment.listing.subscriptions, NOTIFIER])):
        if full in deployment.state.subscriptions:
            yield [["pubsub", "subscriptions", "delete", full]]
        if full in deployment.state.snapshots:
            yield [["pubsub", "snapshots", "delete", full]]


def _topics(deployment: Deployment) -> Jobs:
    for full in map(deployment.full, deployment.listing.topics):
        if full in deployment.state.topics:
            yield [["pubsub", "topics", "delete", full]]
    if deployment.options.prefix in deployment.state.repositories:
        yield [["artifacts", "repositories", "delete", deployment.options.prefix, deployment.at_location]]


def _revocations(deployment: Deployment) -> Jobs:
    for resource in filter(stays, grants.resources(deployment)):
        if not (deployment.options.delete_data and resource.startswith(("bucket:", "secret:"))):  # these are deleted
            yield from grants.revoke(deployment, resource, [])


def _accounts(deployment: Deployment) -> Jobs:
    for email in map(deployment.email, [*deployment.listing.accounts, *left(deployment)]):
        if email in deployment.state.accounts:
            yield [["iam", "service-accounts", "delete", email]]


def _buckets(deployment: Deployment) -> Jobs:
    for name in ["build", *(["uploads", "results"] if deployment.options.delete_data else [])]:
        if deployment.bucket(name) in deployment.state.buckets:
            yield [["storage", "rm", "--recursive", f"gs://{deployment.bucket(name)}"]]
    for full in map(deployment.full, deployment.listing.secrets):
        if deployment.options.delete_data and full in deployment.state.secrets:
            yield [["secrets", "delete", full]]
