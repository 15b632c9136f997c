"""Notices as they come, through a subscription of their own: nothing is taken from `completions`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.cloud.protocols import Cloud, Subscription
from shared.model import Json

#: Longest wait of one pull.
WAIT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Told:
    """One notice: the CloudEvent's type, id and time (RFC 3339), and its data."""

    type: str
    id: str
    time: str
    data: Json

    @property
    def object(self) -> str:
        """The name of the file."""
        return str(self.data["file"]["name"])

    @property
    def step(self) -> str:
        """The step that ended; empty for a whole job."""
        return str(self.data.get("step", ""))

    @property
    def verdict(self) -> str:
        return str(self.data["verdict"])

    @property
    def reason(self) -> str:
        return str(self.data.get("reason", ""))

    def to_json(self) -> Json:
        return {"type": self.type, "id": self.id, "time": self.time, "data": self.data}


@contextmanager
def tail(cloud: Cloud) -> Iterator[Iterator[Told]]:
    """The notices that are published from now on, without end. Its subscription is deleted on leaving.

    If this process is killed, the subscription expires after a day. A notice may come twice; its id says so. Raises `Unavailable`.
    """
    subscription = cloud.completions.subscribe()
    try:
        yield _told(subscription)
    finally:
        subscription.delete()


def _told(subscription: Subscription) -> Iterator[Told]:
    while True:
        messages = subscription.pull(WAIT_SECONDS)
        subscription.acknowledge(messages)
        for message in messages:
            named = message.attributes
            if "ce-id" in named:  # others may publish to the topic too
                yield Told(named["ce-type"], named["ce-id"], named["ce-time"], json.loads(message.data))
