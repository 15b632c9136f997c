"""Pub/Sub behind `Topic`."""

import functools
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

#: The plain protobuf classes: filling their wrappers costs 4 % of the CPU time of a small picture.
_Message: Any = PubsubMessage.pb()
_Request: Any = PublishRequest.pb()


class PubSubTopic:
    """One topic, through google-cloud-pubsub."""

    def __init__(self, project: str, name: str) -> None:
        self._path = f"projects/{project}/topics/{name}"

    def publish(self, *notices: Notice) -> None:
        messages = [_Message(data=notice.data, attributes=notice.attributes) for notice in notices]
        request = PublishRequest.wrap(_Request(topic=self._path, messages=messages))
        try:
            _publisher().publish(request, retry=Retry(timeout=TIMEOUT_SECONDS), timeout=TIMEOUT_SECONDS)
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise Unavailable(f"topic {self._path} is unavailable ({type(error).__name__}); retry") from error


@functools.cache
def _publisher() -> PublisherClient:
    return PublisherClient()
