"""The service object: builds the parts of Cloud Tasks, starts and stops them."""

from pathlib import Path

import grpc

from localcloud.accounts import Accounts
from localcloud.calls import Calls
from localcloud.clock import Clock
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher
from localcloud.tasks.delivery.sender import Sender
from localcloud.tasks.http import rest_app
from localcloud.tasks.rpc import rpc_handlers


class Tasks:
    """Cloud Tasks under one data folder: an ASGI `app` and gRPC handlers; it dispatches from `start` to `stop`."""

    def __init__(self, data: Path, clock: Clock, accounts: Accounts) -> None:
        self.calls = Calls()
        self._store = Store(data)
        self._clock = clock
        self._sender = Sender(clock, self.calls)
        self._dispatcher = Dispatcher(self._store, clock, self._sender.send, accounts.id_token)
        self.app = rest_app(self._store, self._dispatcher, clock, self.calls)

    def grpc_handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """Handlers for a `grpc.aio` server in this event loop."""
        return rpc_handlers(self._store, self._dispatcher, self._clock, self.calls)

    async def start(self) -> None:
        """Start dispatching. Tasks that were in flight when the process ended are due at once."""
        await self._dispatcher.start()

    async def stop(self) -> None:
        """Stop dispatching and cancel attempts in flight; they are repeated after the next start."""
        await self._dispatcher.stop()
        await self._sender.close()
        self._store.close()
