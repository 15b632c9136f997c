"""Pub/Sub behind `Topic`."""

import concurrent.futures
import functools

from google.api_core import exceptions
from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.pubsub_v1.types import BatchSettings

from shared.errors import Unavailable
from shared.events import Notice

TIMEOUT_SECONDS = 60


class PubSubTopic:
    """One topic, through google-cloud-pubsub."""

    def __init__(self, project: str, name: str) -> None:
        self._path = f"projects/{project}/topics/{name}"

    def publish(self, notice: Notice) -> None:
        try:
            _publisher().publish(self._path, notice.data, **notice.attributes).result(timeout=TIMEOUT_SECONDS)
        except (exceptions.GoogleAPICallError, exceptions.RetryError, concurrent.futures.TimeoutError) as error:
            raise Unavailable(f"topic {self._path} cannot be used now: {type(error).__name__}") from error


@functools.cache
def _publisher() -> PublisherClient:
    # Every caller waits for its own message, so waiting for others to share a batch would only make all of them late.
    return PublisherClient(BatchSettings(max_messages=1))
