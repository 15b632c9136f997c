"""Topics, subscriptions, and the notification of uploads."""

from collections.abc import Iterator
from dataclasses import replace

from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import Subscription, Topic

DAY = 24 * 3600
WEEK = 7 * DAY
#: Pub/Sub's default deletes a subscription after a month without pulls.
KEEP = ["--expiration-period=never", "--message-retention-duration=7d"]
ACK_SECONDS = 60


def topics(deployment: Deployment, *names: str) -> Iterator[list[Command]]:
    """Topics, with nothing to set."""
    for full in map(deployment.full, names):
        if full not in deployment.state.topics:
            yield [["pubsub", "topics", "create", full]]


def topic(deployment: Deployment, name: str, days: str) -> Iterator[list[Command]]:
    """A topic that keeps its messages for so many days, so that a later subscription can seek back; 0 keeps none."""
    full, wanted = deployment.full(name), Topic(int(days) * DAY)
    found, keep = deployment.state.topics.get(full), [f"--message-retention-duration={days}d"]
    if found is None:
        yield [["pubsub", "topics", "create", full, *(keep if wanted.retention_seconds else [])]]
    elif found != wanted:
        clear = ["--clear-message-retention-duration"]
        yield [["pubsub", "topics", "update", full, *(keep if wanted.retention_seconds else clear)]]


def pull_subscriptions(deployment: Deployment, *names: str) -> Iterator[list[Command]]:
    """A subscription to each topic, of the same name, that keeps messages until they are pulled."""
    for name in names:
        wanted = Subscription(deployment.full(name), ACK_SECONDS, WEEK)
        yield from _subscription(deployment, name, wanted, [f"--ack-deadline={ACK_SECONDS}", *KEEP])


def push_subscription(deployment: Deployment, name: str, topic: str) -> Iterator[list[Command]]:
    """The subscription that pushes a topic's messages to the dispatcher; after 20 attempts they become dead letters."""
    push = _push(deployment, topic, "dispatcher", deployment.push_endpoint)
    wanted = replace(push, dead_letter_topic=deployment.full("dead-letters"), max_attempts=20)
    dead = [f"--dead-letter-topic={wanted.dead_letter_topic}", f"--max-delivery-attempts={wanted.max_attempts}"]
    yield from _subscription(deployment, name, wanted, [*_push_flags(wanted), *dead])


def notices_subscription(deployment: Deployment, name: str, topic: str) -> Iterator[list[Command]]:
    """The subscription that pushes a topic's messages to the service of its own name, with no end but their age."""
    wanted = _push(deployment, topic, name, deployment.url(name))
    yield from _subscription(deployment, name, wanted, _push_flags(wanted))


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
    )


def _push_flags(wanted: Subscription) -> list[str]:
    flags = [f"--ack-deadline={ACK_SECONDS}", *KEEP, f"--push-endpoint={wanted.endpoint}"]
    flags += [f"--push-auth-service-account={wanted.account}", f"--push-auth-token-audience={wanted.audience}"]
    return [*flags, f"--min-retry-delay={wanted.min_backoff}s", f"--max-retry-delay={wanted.max_backoff}s"]


def _subscription(deployment: Deployment, name: str, wanted: Subscription, flags: list[str]) -> Iterator[list[Command]]:
    full, found = deployment.full(name), deployment.state.subscriptions.get(deployment.full(name))
    create = ["pubsub", "subscriptions", "create", full, f"--topic={wanted.topic}", *flags]
    if found is None:
        yield [create]
    elif found.topic != wanted.topic:  # a subscription cannot move from a deleted topic to the new one of the same name
        deployment.state.policies.pop(f"subscription:{name}", None)  # is deleted with it
        yield [["pubsub", "subscriptions", "delete", full], create]
    elif found != wanted:
        yield [["pubsub", "subscriptions", "update", full, *flags]]


def notification(deployment: Deployment, bucket: str) -> Iterator[list[Command]]:
    """One notification of finished uploads with their description. A second one would double every event.

    It is created before others are deleted, so that no upload goes unnoticed.
    """
    found = deployment.state.notifications.get(bucket, [])
    ours = [it for it in found if it.topic == deployment.topic_of_uploads]
    right = [it for it in ours if (it.payload, it.events) == ("JSON_API_V1", ("OBJECT_FINALIZE",))]
    create = ["storage", "buckets", "notifications", "create", f"gs://{deployment.bucket(bucket)}"]
    create += [f"--topic=projects/{deployment.topic_of_uploads}", "--event-types=OBJECT_FINALIZE", "--payload-format=json"]
    commands = [] if right else [[*create, "--skip-topic-setup"]]
    commands += [remove_notification(deployment, bucket, it.id) for it in ours if it not in right[:1]]
    if commands:
        yield commands


def remove_notification(deployment: Deployment, bucket: str, identity: str) -> Command:
    path = f"projects/_/buckets/{deployment.bucket(bucket)}/notificationConfigs/{identity}"
    return ["storage", "buckets", "notifications", "delete", path]
