"""An answer to a push, of which 102 (Processing) may be all there is: Pub/Sub takes it for an acknowledgement."""

from typing import Any

import aiohttp

PROCESSING = 102


class Processing(Exception):
    """The endpoint answered 102; whether anything follows is of no interest."""


class PushResponse(aiohttp.ClientResponse):
    """aiohttp skips every 1xx and waits for the final status, as HTTP wants; this one raises `Processing` at a 102."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the head of the answer."""
        return await super().start(_Watched(connection))  # type: ignore[arg-type]


class _Watched:
    """A connection, or its protocol, as it is but for what is read from it."""

    def __init__(self, watched: Any) -> None:
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._watched, name)

    @property
    def protocol(self) -> Any:
        """The protocol of the connection, watched as well."""
        return _Watched(self._watched.protocol)

    async def read(self) -> Any:
        """The next head and body, unless it is a 102."""
        message, payload = await self._watched.read()
        if message.code == PROCESSING:
            raise Processing
        return message, payload
