"""Cloud Tasks: queues that call HTTP targets, spoken to over REST v2. `app.py` is the surface, `dispatcher.py` the engine."""

from pathlib import Path

from localcloud.accounts import Accounts
from localcloud.clock import Clock
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher
from localcloud.tasks.delivery.sender import Sender
from localcloud.tasks.http import App
from localcloud.tasks.routes import operations
from localcloud.tasks.service import Service

__all__ = ["Tasks", "operations"]


class Tasks:
    """The service as `localcloud.cloud` builds it: an ASGI `app`, and dispatching between `start` and `stop`."""

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
