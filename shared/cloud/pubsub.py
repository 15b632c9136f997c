"""Pub/Sub behind `Topic`."""

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from google.api_core import exceptions
from google.api_core.retry import Retry

# The generated client, not google.cloud.pubsub_v1: that one collects messages of many callers into batches, in threads of its own.
# Our messages form a batch already, and each caller waits for its own.
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.errors import Unavailable
from shared.events import Notice

TIMEOUT_SECONDS = 60
#: Limits of a publish request ("Quotas and limits"): its size, less room for the topic's name, and the number of its messages.
MAX_REQUEST_BYTES = 10_000_000 - 1_000
MAX_MESSAGES = 1_000
#: Limit of the tag and length that precede each message in a request.
MAX_PREFIX_BYTES = 6

#: The plain protobuf classes: filling their wrappers costs 4 % of the CPU time of a small picture.
_Message: Any = PubsubMessage.pb()
_Request: Any = PublishRequest.pb()


class PubSubTopic:
    """One topic, through google-cloud-pubsub."""

    def __init__(self, project: str, name: str) -> None:
        self._path = f"projects/{project}/topics/{name}"

    def publish(self, *notices: Notice) -> None:
        for messages in _requests(_Message(data=notice.data, attributes=notice.attributes) for notice in notices):
            self._publish(messages)

    def _publish(self, messages: list[Any]) -> None:
        request = PublishRequest.wrap(_Request(topic=self._path, messages=messages))
        try:
            _publisher().publish(request, retry=Retry(timeout=TIMEOUT_SECONDS), timeout=TIMEOUT_SECONDS)
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise Unavailable(f"topic {self._path} is unavailable ({type(error).__name__}); retry") from error


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


@functools.cache
def _publisher() -> PublisherClient:
    return PublisherClient()
