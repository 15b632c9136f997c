"""Drift of buckets, topics, subscriptions and the notification: what differs from what `up` makes."""

from collections.abc import Iterator
from dataclasses import Field, fields
from typing import Any, NamedTuple

from deploy import buckets, pubsub
from deploy.deployment import Deployment
from deploy.kinds import Notification

#: Longest value that is shown.
SHOWN = 60
#: Effects of a field that differs, beside the difference itself.
EFFECTS = {
    "filter": "messages that it does not match are dropped unseen; `up` makes it anew and replays what waits",
    "detached": "it gets no message any more; `up` makes it anew, what waited is lost",
    "unwrapped": "pushes come without the envelope that the service reads",
    "transforms": "messages are changed or dropped on their way",
    "expires": "Pub/Sub deletes it when nothing reads it for so long",
    "cors": "pages of --origins or the console cannot use signed URLs",
}


class Drift(NamedTuple):
    """One resource that differs: its kind, its full name, and its differences in words."""

    kind: str
    full: str
    words: str


def drifts(deployment: Deployment, ignored: frozenset[tuple[str, str]] = frozenset()) -> Iterator[Drift]:
    """Every resource that exists and differs, but for `ignored` fields: pairs of a full name and a field."""
    for kind, full, found, wanted in _pairs(deployment):
        if found is not None:
            different = [it for it in fields(wanted) if it.compare and getattr(found, it.name) != getattr(wanted, it.name)]
            left = [it for it in different if (full, it.name) not in ignored]
            if left:
                words = ", ".join(_difference(it, found, wanted) for it in left)
                effects = "".join(f"; {EFFECTS[it.name]}" for it in left if it.name in EFFECTS)
                yield Drift(kind, full, words + effects)


def of_notification(deployment: Deployment) -> Iterator[str]:
    """Every difference of a notification of uploads, as a sentence."""
    wanted = pubsub.wanted_notification(deployment)
    for found in deployment.state.notifications.get("uploads", []):
        if found.topic == wanted.topic:
            yield from _wrong(found, wanted)


def _wrong(found: Notification, wanted: Notification) -> Iterator[str]:
    if found.payload != wanted.payload:
        yield "a notification carries no payload: the dispatcher cannot read it"
    if found.prefix:
        yield f"a notification is only for names that begin with '{found.prefix}': other uploads stay unprocessed"
    if found.events != wanted.events:
        yield f"a notification is for the events {', '.join(found.events) or 'of every kind'}, in place of OBJECT_FINALIZE"
    if found.attributes:
        yield f"a notification has the attributes {found.attributes}, which no service reads"


def _pairs(deployment: Deployment) -> Iterator[tuple[str, str, Any, Any]]:
    """The kind and the name of each resource, as it is found and as it should be."""
    state = deployment.state
    for line in deployment.listing.lines:
        if line.word == "bucket":
            name, soft_delete, days = line.arguments
            full = deployment.bucket(name)
            yield "bucket", full, state.buckets.get(full), buckets.wanted_bucket(deployment, name, soft_delete, int(days))
        if line.word == "topic":
            full = deployment.full(line.arguments[0])
            yield "topic", full, state.topics.get(full), pubsub.kept_for(deployment, line.arguments[1])
    for name, wanted in pubsub.subscriptions(deployment):
        full = deployment.full(name)
        yield "subscription", full, state.subscriptions.get(full), wanted


def _difference(field: "Field[Any]", found: Any, wanted: Any) -> str:
    name, values = field.name.replace("_", " "), [_shown(getattr(each, field.name)) for each in (found, wanted)]
    return f"{name} {values[0]} in place of {values[1]}" if max(map(len, values)) <= SHOWN else name


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, (int, float)) else repr(value)
