"""Pub/Sub: topics, subscriptions, pull and push. `rpc.py` and `rest.py` are the surfaces, `broker.py` the engine."""

from pathlib import Path

import grpc

from localcloud.accounts import Accounts
from localcloud.clock import Clock
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.broker import Broker, Tamper
from localcloud.pubsub.delivery.push import Pushers
from localcloud.pubsub.http import Rest
from localcloud.pubsub.messages import PublishRequest, PubsubMessage
from localcloud.pubsub.methods import operations
from localcloud.pubsub.rpc import rpc_handlers
from localcloud.pubsub.rules import publishing as publish_rules
from localcloud.pubsub.upkeep import Sweeper

__all__ = ["PubSub", "operations"]


class PubSub:
    """The service as `localcloud.cloud` builds it: an ASGI `app`, gRPC handlers, delivery between `start` and `stop`."""

    def __init__(self, data: Path, clock: Clock, accounts: Accounts) -> None:
        self._store = Store(data, clock)
        self._broker = Broker(self._store, clock)
        self._pushers = Pushers(accounts)
        self._sweeper = Sweeper(self._broker, clock)
        self._broker.on_change = self._pushers.watch
        self.app = Rest(self._broker)

    def grpc_handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """Handlers for a `grpc.aio` server in this event loop."""
        return rpc_handlers(self._broker)

    def tamper_with(self, tamper: Tamper) -> None:
        """Let every published message pass this first."""
        self._broker.tamper = tamper

    async def publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        """Publish one message to the topic of that full name; raises ApiError (NOT_FOUND, INVALID_ARGUMENT)."""
        request = PublishRequest(topic=topic, messages=[PubsubMessage(data=data, attributes=attributes)])
        publish_rules.check(request)
        return str((await self._broker.publish(request))[0])

    async def start(self) -> None:
        """Begin to deliver, first of all what was not acknowledged when the process last ended."""
        self._pushers.start()
        self._broker.start()
        self._sweeper.start()

    async def stop(self) -> None:
        """Stop delivering; what was published and not acknowledged is delivered after the next start."""
        await self._sweeper.stop()
        await self._pushers.stop()
        self._broker.stop()
        self._store.close()
