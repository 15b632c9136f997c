"""The service object: builds its parts, and starts and stops them."""

from functools import partial
from pathlib import Path

from localcloud.accounts import Accounts
from localcloud.calls import Calls
from localcloud.clock import Clock
from localcloud.http import asgi_app
from localcloud.storage.data.store import Store
from localcloud.storage.http import answer, refuse
from localcloud.storage.outbox import Outbox, Publish
from localcloud.storage.upkeep import Upkeep


class Storage:
    """Cloud Storage in one data folder; `app` is the ASGI app of its JSON and XML APIs."""

    def __init__(self, data: Path, clock: Clock, accounts: Accounts, publish: Publish) -> None:
        self.store = Store(data, clock, accounts)
        self.store.sweep()  # now: later, the bytes of an upload in progress would look like those of a dead process
        self.outbox = Outbox(self.store, clock, publish)
        self.upkeep = Upkeep(self.store, clock)
        self.calls = Calls()
        self.answer = partial(answer, self.store, self.calls)
        self.app = asgi_app(self.answer, refuse)

    async def start(self) -> None:
        """Start the delivery of notifications, and upkeep."""
        self.outbox.start()
        self.upkeep.start()

    async def stop(self) -> None:
        """Stop both; every acknowledged change is on disk."""
        await self.upkeep.stop()
        await self.outbox.stop()
        self.store.close()
