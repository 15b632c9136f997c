"""The webhooks of pipeline.toml: what waits for each, delivering to one again, and a test by way of its queue."""

import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from shared.cloud.protocols import Cloud, QueueState
from shared.errors import NotFound
from shared.model import Json
from shared.operations import parallel
from shared.routes import Webhook
from shared.webhooks.deliveries import TEST, Delivery

#: Longest wait for the end of a test's first delivery, and the pause between two looks at it.
WAIT_SECONDS, LOOK_SECONDS = 30.0, 0.5


@dataclass(frozen=True, slots=True)
class State:
    """A webhook and its queue."""

    webhook: Webhook
    queue: QueueState

    def to_json(self) -> Json:
        webhook = self.webhook
        chosen = {"notices": list(webhook.notices), "verdicts": list(webhook.verdicts)}
        return {"webhook": webhook.name, "url": webhook.shown, **chosen, **asdict(self.queue)}


@dataclass(frozen=True, slots=True)
class Tested:
    """The end of a test: `taken`, `refused`, `unanswered` in time, or not sent, because the queue is `paused`."""

    webhook: str
    event: str
    state: Literal["taken", "refused", "unanswered", "paused"]

    def to_json(self) -> Json:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, and how to wait."""

    now: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep


def states(cloud: Cloud) -> tuple[State, ...]:
    """Every webhook with the state of its queue. Raises `Unavailable`."""
    return tuple(parallel.each(lambda one: State(one, cloud.queue.state(one.queue)), cloud.routes.webhooks.values()))


def resume(name: str, cloud: Cloud) -> State:
    """Deliver to this webhook again. Raises `NotFound` and `Unavailable`."""
    webhook = _known(name, cloud)
    cloud.queue.resume(webhook.queue)
    return State(webhook, cloud.queue.state(webhook.queue))


def send_test(name: str, cloud: Cloud, clock: Clock | None = None) -> Tested:
    """Queue a test for this webhook, as its notices are, and wait for the end of its first delivery.

    A test that is not taken leaves the queue: it is not repeated for three days. Raises `NotFound` and `Unavailable`.
    """
    clock, webhook = clock or Clock(), _known(name, cloud)
    if cloud.queue.state(webhook.queue).is_paused:
        return Tested(name, "", "paused")
    began = clock.now()
    delivery = Delivery(name, TEST, f"test-{uuid.uuid4().hex}", (), int(began))
    cloud.queue.add(delivery)
    try:
        while found := cloud.queue.find(delivery):
            if found.deliveries and not found.is_running:
                return Tested(name, delivery.event, "refused" if cloud.queue.delete(delivery) else "taken")
            if clock.now() - began >= WAIT_SECONDS:
                return Tested(name, delivery.event, "unanswered" if cloud.queue.delete(delivery) else "taken")
            clock.wait(LOOK_SECONDS)
    except KeyboardInterrupt:
        cloud.queue.delete(delivery)
        raise
    return Tested(name, delivery.event, "taken")


def _known(name: str, cloud: Cloud) -> Webhook:
    every = cloud.routes.webhooks
    if name not in every:
        raise NotFound(f"pipeline.toml has no webhook {name!r}; it has {', '.join(every) or 'none'}")
    return every[name]
