"""Sends an attempt's request and says what came of it. Nothing a target does can raise from here."""

import asyncio
import email.utils

import aiohttp
from yarl import URL

from localcloud.clock import Clock
from localcloud.tasks.delivery.attempt import Outcome, Outgoing

#: Shorter than the 2 s for which gunicorn, the eagerest of the usual servers, keeps an idle connection: a request sent
#: just as the target hangs up would be a failed attempt.
KEEP_ALIVE_SECONDS = 1.5
MAX_REDIRECTS = 10


class Sender:
    """A pool of connections to the targets; to be opened inside the running loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Outgoing) -> Outcome:
        """Make the request within its deadline, following redirects (they are not attempts of their own)."""
        request_made = asyncio.ensure_future(self._exchange(request))
        alarm = asyncio.ensure_future(self._clock.sleep(request.deadline_seconds))
        try:
            await asyncio.wait((request_made, alarm), return_when=asyncio.FIRST_COMPLETED)
            if request_made.done():
                return request_made.result()
            return Outcome(None, "DEADLINE_EXCEEDED", f"no response within {request.deadline_seconds:g} s")
        finally:
            alarm.cancel()
            request_made.cancel()

    async def close(self) -> None:
        """Hang up on every target."""
        if self._session:
            await self._session.close()

    async def _exchange(self, request: Outgoing) -> Outcome:
        try:
            return await self._answer(request)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Targets that hang up, speak no HTTP, redirect in circles or to nowhere, URLs that no client can parse.
            return Outcome(None, "UNAVAILABLE", f"{type(error).__name__}: {error}")

    async def _answer(self, request: Outgoing) -> Outcome:
        async with self._opened().request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body or None,
            max_redirects=MAX_REDIRECTS,
        ) as response:
            # Read to the end, or the connection could not be used again.
            async for _ in response.content.iter_any():
                pass
            return Outcome(response.status, retry_after_seconds=self._retry_after(response.headers.get("Retry-After")))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
                # One task's cookies are not another's; deadlines are kept by the clock; nobody reads the answers.
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
            )
        return self._session

    def _retry_after(self, value: str | None) -> float | None:
        """Seconds, from either form of the header (RFC 9110 §10.2.3)."""
        if value is None:
            return None
        if value.strip().isdecimal():
            return float(value)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - self._clock.time())
        except ValueError:
            return None
