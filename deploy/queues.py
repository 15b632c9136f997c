"""Queues of steps and of the sweeper, which retry for a week, and of webhooks. Services count attempts."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace

from deploy import left
from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import PAUSED, Queue
from deploy.listing import NOTIFIER
from shared import routes
from shared.routes.definitions import SWEEPER

#: Cloud Tasks deletes a task only after both limits (queue.proto, RetryConfig). The week outlasts an outage of the processor.
RETRY_SECONDS = 604800
#: Not the attempts of pipeline.toml: those are each step's, a task has several steps, and faults of ours cost none. 100 is Cloud
#: Tasks' default; a queue that was paused for more than a week still gives its tasks that many.
DELIVERIES = 100
#: So long a receiver has to come back. That takes 82 deliveries, fewer than DELIVERIES: Cloud Tasks does not delete a task before
#: the notifier itself gives it up and logs it.
WEBHOOK_SECONDS = 3 * 24 * 3600


def new_queues(deployment: Deployment) -> Iterator[list[Command]]:
    """The queues that are missing."""
    for name, wanted in _wanted(deployment):
        if deployment.full(name) not in deployment.state.queues:
            yield [_command(deployment, "create", name, wanted, None)]


def changed_queues(deployment: Deployment) -> Iterator[list[Command]]:
    """The queues that differ: after the services, because a queue may move to a new pool."""
    for name, wanted in _wanted(deployment):
        found = deployment.state.queues.get(deployment.full(name))
        if found and found != wanted:
            yield [_command(deployment, "update", name, wanted, found)]


def _command(deployment: Deployment, verb: str, name: str, wanted: Queue, found: Queue | None) -> Command:
    target = _target(wanted, found)
    return ["tasks", "queues", verb, deployment.full(name), deployment.at_location, *_flags(wanted), *target]


def _wanted(deployment: Deployment) -> Iterator[tuple[str, Queue]]:
    """Every queue; with its service as the target of its tasks, unless each task names its own."""
    called = servers(deployment)
    steps = [(queue, RETRY_SECONDS, called[queue.name]) for queue in (*deployment.queues.values(), SWEEPER)]
    webhooks = [(webhook.rates, WEBHOOK_SECONDS, NOTIFIER) for webhook in deployment.webhooks.values()]
    for queue, seconds, server in steps + webhooks:
        wanted = _without_target(queue, seconds)
        host, audience = deployment.host(server), deployment.url(server)
        if deployment.options.queue_auth == "queue":
            wanted = replace(wanted, host=host, account=deployment.email("tasks"), audience=audience)
        yield queue.name, wanted


def servers(deployment: Deployment) -> dict[str, str]:
    """The service that each queue calls, without those of webhooks."""
    return {name: deployment.server(queue) for name, queue in deployment.queues.items()} | {SWEEPER.name: "sweeper"}


def _without_target(queue: routes.Queue, retry_seconds: int) -> Queue:
    return Queue(
        rate=queue.max_dispatches_per_second,
        at_once=queue.max_concurrent_dispatches,
        deliveries=DELIVERIES,
        retry_seconds=retry_seconds,
        min_backoff=queue.min_backoff_seconds,
        max_backoff=queue.max_backoff_seconds,
        max_doublings=16,
        logged=0.1,
    )


def _flags(queue: Queue) -> list[str]:
    return [
        f"--max-dispatches-per-second={queue.rate:g}",
        f"--max-concurrent-dispatches={queue.at_once:g}",
        f"--max-attempts={queue.deliveries}",
        f"--max-retry-duration={queue.retry_seconds}s",
        f"--min-backoff={queue.min_backoff:g}s",
        f"--max-backoff={queue.max_backoff:g}s",
        f"--max-doublings={queue.max_doublings}",
        f"--log-sampling-ratio={queue.logged}",
    ]


def _target(wanted: Queue, found: Queue | None) -> list[str]:
    flags = ["http-uri-override", "http-oidc-service-account-email-override", "http-oidc-token-audience-override"]
    if wanted.host:
        values = [f"scheme:HTTPS,host:{wanted.host},mode:ALWAYS", wanted.account, wanted.audience]
        return [f"--{flag}={value}" for flag, value in zip(flags, values, strict=True)]
    has_target = found and (found.host or found.account or found.audience)
    return [f"--clear-{flag}" for flag in flags] if has_target else []


def resume_queues(deployment: Deployment) -> Iterator[list[Command]]:
    """Resume paused queues, except `held`. Only once the processor exists: failed deliveries lengthen the pauses."""
    uploads = deployment.state.buckets.get(deployment.bucket("uploads"))
    resumed = [name for name in paused(deployment) if name not in deployment.held]
    job = [["tasks", "queues", "resume", deployment.full(name), deployment.at_location] for name in resumed]
    labels = sorted(uploads.paused if uploads else resumed)  # a new bucket was labelled when it was made
    if labels:
        keys = ",".join(f"{PAUSED}{name}" for name in labels)
        job.append(["storage", "buckets", "update", f"gs://{deployment.bucket('uploads')}", f"--remove-labels={keys}"])
    if job:
        yield job


def paused(deployment: Deployment) -> list[str]:
    """The queues that are paused: those of pipeline.toml, of webhooks, and those left behind that `down` paused."""
    found, uploads = deployment.state.queues, deployment.state.buckets.get(deployment.bucket("uploads"))
    behind = [name for name in left.queues(deployment) if uploads and name in uploads.paused]
    return [
        name
        for name in [*deployment.every_queue, *behind]
        if (it := found.get(deployment.full(name))) and it.state != "RUNNING"
    ]


def labels_of_paused(names: Iterable[str]) -> list[str]:
    """The labels of the uploads bucket with queues that `down` paused, so that `up` resumes them unasked."""
    return [f"{PAUSED}{name}=by-down" for name in names]


def hold(deployment: Deployment) -> None:
    """Set `held`: the queues that an operator paused, unless --yes or an answer at the terminal says to resume them.

    The queue of a webhook stays paused in any case: its receiver has answered 410.
    """
    uploads = deployment.state.buckets.get(deployment.bucket("uploads"))
    theirs = [name for name in paused(deployment) if uploads and name not in uploads.paused]
    deployment.held = {name for name in theirs if name in deployment.webhooks}
    asked = [name for name in theirs if name not in deployment.held]
    if asked and not deployment.options.yes and not _may_resume(deployment, ", ".join(asked)):
        deployment.held |= set(asked)


def _may_resume(deployment: Deployment, names: str) -> bool:
    if deployment.options.command != "up":
        return False
    if not sys.stdin.isatty():
        print(f"warning: paused by an operator: {names}. They stay paused; --yes resumes them.", file=sys.stderr, flush=True)
        return False
    print(f"Paused by an operator: {names}. Resume? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
