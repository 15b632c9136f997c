"""Pub/Sub behind `Topic` and `Subscription`."""

import functools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth import exceptions as auth_exceptions

# The generated client, not google.cloud.pubsub_v1: that one collects messages of many callers into batches, in threads of its own.
# Our messages form a batch already, and each caller waits for its own.
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.cloud.protocols import RETRY_SECONDS, Received
from shared.errors import Unavailable
from shared.events import Notice

TIMEOUT_SECONDS = 60
#: Limits of a request ("Quotas and limits"): the messages of a publish or a pull, and the size of a publish, less room for the
#: topic's name.
MAX_MESSAGES = 1_000
MAX_REQUEST_BYTES = 10_000_000 - 1_000
#: Limit of the tag and length that precede each message in a request.
MAX_PREFIX_BYTES = 6
#: Of a subscription made by `subscribe`. Pub/Sub's limits: it expires after a day at least, and keeps messages 10 minutes at least.
EXPIRES_SECONDS = 24 * 3600
KEEPS_SECONDS = 10 * 60
ACK_SECONDS = 60

#: The plain protobuf classes: filling their wrappers costs 4 % of the CPU time of a small picture.
_Message: Any = PubsubMessage.pb()
_Request: Any = PublishRequest.pb()


class PubSub:
    """Pub/Sub through google-cloud-pubsub: two clients for all topics and subscriptions of a cloud."""

    def __init__(self, project: str, retry_seconds: float = RETRY_SECONDS) -> None:
        self.project = project
        seconds = min(TIMEOUT_SECONDS, retry_seconds)
        #: Options of every call: the time limit of one request, and that of all its repetitions.
        self.limits: Any = {"timeout": seconds, "retry": Retry(timeout=seconds)}

    def topic(self, name: str) -> "PubSubTopic":
        """The topic of this name; calls nothing."""
        return PubSubTopic(name, self)

    def subscription(self, name: str) -> "PubSubSubscription":
        """The subscription of this name; calls nothing."""
        return PubSubSubscription(name, self)

    @functools.cached_property
    def publisher(self) -> PublisherClient:
        """The client that publishes."""
        return PublisherClient()

    @functools.cached_property
    def subscriber(self) -> SubscriberClient:
        """The client for subscriptions."""
        return SubscriberClient()


class PubSubTopic:
    """One topic."""

    def __init__(self, name: str, pubsub: PubSub) -> None:
        self._name = name
        self._pubsub = pubsub
        self._path = f"projects/{pubsub.project}/topics/{name}"

    def publish(self, *notices: Notice) -> None:
        for messages in _requests(_Message(data=notice.data, attributes=notice.attributes) for notice in notices):
            self._publish(messages)

    def _publish(self, messages: list[Any]) -> None:
        request = PublishRequest.wrap(_Request(topic=self._path, messages=messages))
        with _translated(f"topic {self._path}"):
            self._pubsub.publisher.publish(request, **self._pubsub.limits)

    def subscribe(self) -> "PubSubSubscription":
        made = self._pubsub.subscription(f"{self._name}-tail-{uuid.uuid4().hex[:12]}")
        request = {
            "name": made.path,
            "topic": self._path,
            "ack_deadline_seconds": ACK_SECONDS,
            "expiration_policy": {"ttl": {"seconds": EXPIRES_SECONDS}},
            "message_retention_duration": {"seconds": KEEPS_SECONDS},
        }
        with _translated(f"topic {self._path}"):
            self._pubsub.subscriber.create_subscription(request, **self._pubsub.limits)
        return made


class PubSubSubscription:
    """One subscription."""

    def __init__(self, name: str, pubsub: PubSub) -> None:
        self._pubsub = pubsub
        self.path = f"projects/{pubsub.project}/subscriptions/{name}"

    def pull(self, seconds: float) -> Sequence[Received]:
        with _translated(f"subscription {self.path}"):
            subscriber = self._pubsub.subscriber
            try:
                answer = subscriber.pull(subscription=self.path, max_messages=MAX_MESSAGES, retry=None, timeout=seconds)
            except exceptions.DeadlineExceeded:
                return []
        return [_received(one.ack_id, one.message) for one in answer.received_messages]

    def acknowledge(self, messages: Iterable[Received]) -> None:
        for leases in _leases(messages):
            with _translated(f"subscription {self.path}"):
                self._pubsub.subscriber.acknowledge(subscription=self.path, ack_ids=leases, **self._pubsub.limits)

    def release(self, messages: Iterable[Received]) -> None:
        for leases in _leases(messages):
            request = {"subscription": self.path, "ack_ids": leases, "ack_deadline_seconds": 0}
            with _translated(f"subscription {self.path}"):
                self._pubsub.subscriber.modify_ack_deadline(request, **self._pubsub.limits)

    def delete(self) -> None:
        with _translated(f"subscription {self.path}"):
            try:
                self._pubsub.subscriber.delete_subscription(subscription=self.path, **self._pubsub.limits)
            except exceptions.NotFound:
                return


def _leases(messages: Iterable[Received]) -> Iterator[list[str]]:
    """The leases of these messages in as many requests as Pub/Sub needs: each takes at most 512 KiB."""
    leases = [message.lease for message in messages]
    return (leases[start : start + MAX_MESSAGES] for start in range(0, len(leases), MAX_MESSAGES))


def _received(lease: str, message: Any) -> Received:
    published = message.publish_time.isoformat().replace("+00:00", "Z")
    return Received(message.message_id, published, message.data, dict(message.attributes), lease)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Raise `Unavailable` for an error that a retry may mend."""
    try:
        yield
    except (exceptions.GoogleAPICallError, exceptions.RetryError, auth_exceptions.GoogleAuthError) as error:
        raise Unavailable(f"{what} is unavailable ({type(error).__name__}); retry") from error


def _requests(messages: Iterable[Any]) -> Iterator[list[Any]]:
    """The messages in their order, in as few requests as the limits permit."""
    request: list[Any] = []
    size = 0
    for message in messages:
        bytes_more = message.ByteSize() + MAX_PREFIX_BYTES
        if request and (len(request) == MAX_MESSAGES or size + bytes_more > MAX_REQUEST_BYTES):
            yield request
            request, size = [], 0
        request.append(message)
        size += bytes_more
    if request:
        yield request
