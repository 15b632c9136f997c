"""Cloud Tasks: queues that call HTTP targets, spoken to over REST v2. `app.py` is the surface, `dispatcher.py` the engine."""

from pathlib import Path

from local.accounts import Accounts
from local.clock import Clock
from local.tasks.app import App
from local.tasks.dispatcher import Dispatcher
from local.tasks.routes import operations
from local.tasks.sender import Sender
from local.tasks.service import Service
from local.tasks.store import Store

__all__ = ["Tasks", "operations"]


class Tasks:
    """The service as `local.cloud` builds it: an ASGI `app`, and dispatching between `start` and `stop`."""

    def __init__(self, data: Path, clock: Clock, accounts: Accounts) -> None:
        self._store = Store(data)
        self._sender = Sender(clock)
        self._dispatcher = Dispatcher(self._store, clock, self._sender.send, accounts.id_token)
        self.app = App(Service(self._store, self._dispatcher, clock))

    async def start(self) -> None:
        """Begin to dispatch, first of all what was in flight when the process last ended."""
        await self._dispatcher.start()

    async def stop(self) -> None:
        """Stop dispatching; attempts in flight are cut off and made again after the next start."""
        self.app.close()
        await self._dispatcher.stop()
        await self._sender.close()
        self._store.close()
