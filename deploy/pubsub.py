"""Topics, subscriptions, and the notification of uploads."""

from collections.abc import Iterator
from dataclasses import replace

from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import Notification, Subscription, Topic

DAY = 24 * 3600
WEEK = 7 * DAY
#: Pub/Sub's default deletes a subscription after a month without pulls.
KEEP = ["--expiration-period=never", "--message-retention-duration=7d"]
ACK_SECONDS = 60


def topics(deployment: Deployment, *names: str) -> Iterator[list[Command]]:
    """Topics that keep nothing for later subscriptions."""
    for name in names:
        yield from topic(deployment, name, "0")


def topic(deployment: Deployment, name: str, days: str) -> Iterator[list[Command]]:
    """A topic that keeps its messages for so many days, so that a later subscription can seek back; 0 keeps none."""
    full, wanted = deployment.full(name), kept_for(deployment, days)
    found, keep = deployment.state.topics.get(full), [f"--message-retention-duration={days}d"]
    if found is None:
        yield [
            ["pubsub", "topics", "create", full, f"--labels={deployment.label}", *(keep if wanted.retention_seconds else [])]
        ]
    elif found != wanted:
        keep = keep if wanted.retention_seconds else ["--clear-message-retention-duration"] * bool(found.retention_seconds)
        yield [["pubsub", "topics", "update", full, *deployment.relabel(found.label), *keep]]


def kept_for(deployment: Deployment, days: str) -> Topic:
    """A topic that keeps its messages for so many days."""
    return Topic(int(days) * DAY, deployment.options.prefix)


def pull_subscriptions(deployment: Deployment, *names: str) -> Iterator[list[Command]]:
    """A subscription to each topic, of the same name, that keeps messages until they are pulled."""
    for name in names:
        yield from _subscription(deployment, name, _pulled(deployment, name), [f"--ack-deadline={ACK_SECONDS}", *KEEP])


def push_subscription(deployment: Deployment, name: str, topic: str) -> Iterator[list[Command]]:
    """The subscription that pushes a topic's messages to the dispatcher; after 20 attempts they become dead letters."""
    wanted = _dispatched(deployment, topic)
    dead = [f"--dead-letter-topic={wanted.dead_letter_topic}", f"--max-delivery-attempts={wanted.max_attempts:g}"]
    yield from _subscription(deployment, name, wanted, [*_push_flags(wanted), *dead])


def notices_subscription(deployment: Deployment, name: str, topic: str) -> Iterator[list[Command]]:
    """The subscription that pushes a topic's messages to the service of its own name, with no end but their age."""
    wanted = _push(deployment, topic, name, deployment.url(name))
    yield from _subscription(deployment, name, wanted, _push_flags(wanted))


def subscriptions(deployment: Deployment) -> Iterator[tuple[str, Subscription]]:
    """Every subscription by its name in deploy.sh, as it should be."""
    for line in deployment.listing.lines:
        if line.word == "pull_subscriptions":
            yield from ((name, _pulled(deployment, name)) for name in line.arguments)
        elif line.word == "push_subscription":
            yield line.arguments[0], _dispatched(deployment, line.arguments[1])
        elif line.word == "notices_subscription":
            name, topic = line.arguments
            yield name, _push(deployment, topic, name, deployment.url(name))


def _pulled(deployment: Deployment, name: str) -> Subscription:
    return Subscription(deployment.full(name), ACK_SECONDS, WEEK, label=deployment.options.prefix)


def _dispatched(deployment: Deployment, topic: str) -> Subscription:
    push = _push(deployment, topic, "dispatcher", deployment.push_endpoint)
    return replace(push, dead_letter_topic=deployment.full("dead-letters"), max_attempts=20)


def _push(deployment: Deployment, topic: str, service: str, endpoint: str) -> Subscription:
    return Subscription(
        topic=deployment.full(topic),
        ack_seconds=ACK_SECONDS,
        retention_seconds=WEEK,
        endpoint=endpoint,
        account=deployment.email("push"),
        audience=deployment.url(service),
        min_backoff=1,
        max_backoff=60,
        label=deployment.options.prefix,
    )


def _push_flags(wanted: Subscription) -> list[str]:
    flags = [f"--ack-deadline={ACK_SECONDS}", *KEEP, f"--push-endpoint={wanted.endpoint}"]
    flags += [f"--push-auth-service-account={wanted.account}", f"--push-auth-token-audience={wanted.audience}"]
    return [*flags, f"--min-retry-delay={wanted.min_backoff}s", f"--max-retry-delay={wanted.max_backoff}s"]


#: Flags that take away what a subscription should not have.
CLEAR = {
    "endpoint": "--push-endpoint=",
    "min_backoff": "--clear-retry-policy",
    "dead_letter_topic": "--clear-dead-letter-policy",
    "unwrapped": "--clear-push-no-wrapper-config",
    "transforms": "--clear-message-transforms",
}


def _subscription(deployment: Deployment, name: str, wanted: Subscription, flags: list[str]) -> Iterator[list[Command]]:
    full, group = deployment.full(name), ["pubsub", "subscriptions"]
    found, has_snapshot = deployment.state.subscriptions.get(full), deployment.state.snapshots.get(full) == wanted.topic
    replayed: list[Command] = [[*group, "seek", full, f"--snapshot={full}"], ["pubsub", "snapshots", "delete", full]]
    create = [*group, "create", full, f"--topic={wanted.topic}", f"--labels={deployment.label}", *flags]
    if found is None:
        yield [create, *(replayed if has_snapshot else [])]
    elif found.topic != wanted.topic or found.filter != wanted.filter or found.detached:
        deployment.state.policies.pop(f"subscription:{name}", None)  # is deleted with it
        waits = found.topic == wanted.topic and not found.detached
        snapshot = [["pubsub", "snapshots", "create", full, f"--subscription={full}"]] if waits and not has_snapshot else []
        yield [*snapshot, [*group, "delete", full], create, *(replayed if snapshot or has_snapshot else [])]
    else:
        cleared = [flag for field, flag in CLEAR.items() if getattr(found, field) and not getattr(wanted, field)]
        update = [*group, "update", full, *deployment.relabel(found.label), *flags, *cleared]
        if commands := [*([update] if found != wanted else []), *(replayed if has_snapshot else [])]:
            yield commands


def notification(deployment: Deployment, bucket: str) -> Iterator[list[Command]]:
    """One notification of finished uploads with their description. A second one would double every event.

    It is created before others are deleted, so that no upload goes unnoticed.
    """
    found = deployment.state.notifications.get(bucket, [])
    ours = [it for it in found if it.topic == deployment.topic_of_uploads]
    right = [it for it in ours if replace(it, id="") == wanted_notification(deployment)]
    create = ["storage", "buckets", "notifications", "create", f"gs://{deployment.bucket(bucket)}"]
    create += [f"--topic=projects/{deployment.topic_of_uploads}", "--event-types=OBJECT_FINALIZE", "--payload-format=json"]
    commands = [] if right else [[*create, "--skip-topic-setup"]]
    commands += [remove_notification(deployment, bucket, it.id) for it in ours if it not in right[:1]]
    if commands:
        yield commands


def wanted_notification(deployment: Deployment) -> Notification:
    """The notification of the uploads bucket as it should be, without its id."""
    return Notification("", deployment.topic_of_uploads, "JSON_API_V1", ("OBJECT_FINALIZE",))


def remove_notification(deployment: Deployment, bucket: str, identity: str) -> Command:
    path = f"projects/_/buckets/{deployment.bucket(bucket)}/notificationConfigs/{identity}"
    return ["storage", "buckets", "notifications", "delete", path]
