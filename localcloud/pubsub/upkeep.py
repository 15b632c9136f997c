"""What time takes away: messages past their retention, snapshots past their life, subscriptions that nobody uses."""

import asyncio

from localcloud.clock import Clock
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import microseconds, seconds

PERIOD_SECONDS = 60.0


class Sweeper:
    """Sweeps every minute between `start` and `stop`."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what happened while the process was away."""
        sweep(self._broker, self._clock.time())
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Take nothing away any more."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(PERIOD_SECONDS)
            sweep(self._broker, self._clock.time())


def sweep(broker: Broker, now: float) -> None:
    """Drop all that is too old by now."""
    broker.flush()
    for topic in broker.topics.values():
        if topic.message.HasField("message_retention_duration"):
            topic.archive.drop_before(_ago(now, topic.message.message_retention_duration))
    for snapshot in list(broker.snapshots.values()):
        if microseconds(snapshot.message.expire_time) <= now * 1_000_000:
            broker.remove_snapshot(snapshot.message.name)
    for subscription in list(broker.subscriptions.values()):
        subscription.drop_before(_ago(now, subscription.message.message_retention_duration))
        if subscription.is_streamed:
            subscription.usage.note()
        policy = subscription.message.expiration_policy
        if policy.HasField("ttl") and subscription.usage.last() + seconds(policy.ttl) <= now:
            broker.remove_subscription(subscription.message.name)


def _ago(now: float, duration: object) -> int:
    return int((now - seconds(duration)) * 1_000_000)
