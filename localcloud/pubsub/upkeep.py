"""Periodic expiry: of messages after their retention, snapshots after their life, and unused subscriptions."""

import asyncio
import contextlib

from localcloud.clock import Clock
from localcloud.disk import DiskFull
from localcloud.protobuf import microseconds, seconds
from localcloud.pubsub.delivery.broker import Broker

PERIOD_SECONDS = 60.0


class Upkeep:
    """Runs `expire` at the start and then every minute."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Delete everything that expired while the process was not running, and continue periodically."""
        expire(self._broker, self._clock.time())
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop deleting."""
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(PERIOD_SECONDS)
            with contextlib.suppress(DiskFull):
                expire(self._broker, self._clock.time())


def expire(broker: Broker, now: float) -> None:
    """Delete everything that is expired at `now`, in seconds since the epoch."""
    broker.flush()
    for topic in broker.topics.values():
        if topic.message.HasField("message_retention_duration"):
            topic.archive.drop_before(_ago(now, topic.message.message_retention_duration))
    for snapshot in list(broker.snapshots.values()):
        if microseconds(snapshot.message.expire_time) <= now * 1_000_000:
            broker.remove_snapshot(snapshot.message.name)
    for subscription in list(broker.subscriptions.values()):
        subscription.drop_before(_ago(now, subscription.message.message_retention_duration))
        if subscription.is_pulled:
            subscription.usage.touch()
        policy = subscription.message.expiration_policy
        if policy.HasField("ttl") and subscription.usage.last() + seconds(policy.ttl) <= now:
            broker.remove_subscription(subscription.message.name)


def _ago(now: float, duration: object) -> int:
    return int((now - seconds(duration)) * 1_000_000)
