"""The XML API, as far as signed URLs need it: objects by PUT, GET, HEAD, DELETE and resumable POST."""

from local.accounts import Accounts
from local.storage.errors import unsupported
from local.storage.resumable import Sessions
from local.storage.store import Store
from local.storage.web import Answer, Request


class XmlApi:
    """Answers what the JSON API does not."""

    def __init__(self, store: Store, sessions: Sessions, accounts: Accounts) -> None:
        self._store = store
        self._sessions = sessions
        self._accounts = accounts

    async def answer(self, request: Request) -> Answer:
        """Answer one request; raises `StorageError`."""
        raise unsupported(f"{request.method} {request.path[:100]}")
