"""The service object: it builds the parts of Pub/Sub, starts and stops them."""

from pathlib import Path

import grpc

from localcloud.accounts import Accounts
from localcloud.calls import Calls
from localcloud.clock import Clock
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.broker import Broker, PublishHook
from localcloud.pubsub.delivery.push import Pushers
from localcloud.pubsub.http import rest_app
from localcloud.pubsub.messages import PublishRequest, PubsubMessage
from localcloud.pubsub.rpc import rpc_handlers
from localcloud.pubsub.rules import messages as message_rules
from localcloud.pubsub.upkeep import Upkeep


class PubSub:
    """Pub/Sub under one data folder: an ASGI `app` for REST, gRPC handlers, delivery between `start` and `stop`."""

    def __init__(self, data: Path, clock: Clock, accounts: Accounts) -> None:
        self.calls = Calls()
        self._store = Store(data, clock)
        self._broker = Broker(self._store, clock)
        self._pushers = Pushers(accounts, self.calls)
        self._upkeep = Upkeep(self._broker, clock)
        self._broker.on_change = self._pushers.watch
        self.app = rest_app(self._broker, self.calls)

    def grpc_handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """Handlers for a `grpc.aio` server in this event loop."""
        return rpc_handlers(self._broker, self.calls)

    def set_publish_hook(self, hook: PublishHook) -> None:
        """Call the hook before each message is published; it may take the message over."""
        self._broker.publish_hook = hook

    async def publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        """Publish one message to the topic of that full name. Raises `ApiError` (NOT_FOUND, INVALID_ARGUMENT)."""
        request = PublishRequest(topic=topic, messages=[PubsubMessage(data=data, attributes=attributes)])
        message_rules.check_publish(request, request.ByteSize())
        return str((await self._broker.publish(request))[0])

    async def start(self) -> None:
        """Begin delivery, including messages that were unacknowledged when the process last ended."""
        self._pushers.start()
        self._broker.start()
        self._upkeep.start()

    async def stop(self) -> None:
        """Stop delivery. Unacknowledged messages are delivered after the next start."""
        await self._upkeep.stop()
        await self._pushers.stop()
        self._broker.stop()
        self._store.close()
