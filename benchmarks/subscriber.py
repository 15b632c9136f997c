"""Job notices and the times of their arrival."""

import threading
import time

from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message

SECONDS = 300


class JobNotices:
    """Pulls the `completions` subscription: the arrival of each object's job notice, the bytes of all notices."""

    def __init__(self) -> None:
        self.total_bytes = 0
        self._arrived: dict[str, float] = {}
        self._news = threading.Condition()
        self._subscriber = SubscriberClient()
        self._pull = self._subscriber.subscribe("projects/local-project/subscriptions/completions", self._take)

    @property
    def ended(self) -> int:
        """The objects whose notices have arrived."""
        return len(self._arrived)

    def wait_for(self, names: list[str]) -> float:
        """The monotonic time at which the last of these arrived. Raises `TimeoutError`."""
        with self._news:
            if not self._news.wait_for(lambda: all(name in self._arrived for name in names), SECONDS):
                missing = [name for name in names if name not in self._arrived]
                raise TimeoutError(f"{len(missing)} notices are missing after {SECONDS} s, {missing[0]} among them")
            return max(self._arrived[name] for name in names)

    def close(self) -> None:
        """Stop pulling."""
        self._pull.cancel()
        self._pull.result()
        self._subscriber.close()

    def _take(self, message: Message) -> None:
        message.ack()
        with self._news:
            self.total_bytes += message.size
        if message.attributes["ce-type"] == "sluice.job.finished.v1":
            with self._news:
                self._arrived.setdefault(message.attributes["name"], time.monotonic())
                self._news.notify_all()
