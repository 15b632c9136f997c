"""Sends the request of an attempt and returns its outcome; failures of the target are outcomes, not exceptions."""

import asyncio
import email.utils

import aiohttp
from yarl import URL

from localcloud.calls import Calls
from localcloud.clock import Clock
from localcloud.http import TARGET_KEEP_ALIVE_SECONDS
from localcloud.tasks.model import Outcome, Outgoing

MAX_REDIRECTS = 10


class Sender:
    """A pool of connections to targets. Its first `send` opens the pool in the running event loop."""

    def __init__(self, clock: Clock, calls: Calls) -> None:
        self._clock = clock
        self._calls = calls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Outgoing) -> Outcome:
        """Send the request and wait until its deadline; redirects are followed within the same attempt."""
        self._calls["dispatch", request.headers["X-CloudTasks-QueueName"]] += 1
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
        """Close every connection."""
        if self._session:
            await self._session.close()

    async def _exchange(self, request: Outgoing) -> Outcome:
        try:
            return await self._answer(request)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Broken connections, answers that are not HTTP, redirect loops, URLs that aiohttp cannot parse.
            return Outcome(None, "UNAVAILABLE", f"{type(error).__name__}: {error}")

    async def _answer(self, request: Outgoing) -> Outcome:
        async with self._opened().request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body or None,
            max_redirects=MAX_REDIRECTS,
        ) as response:
            # A connection is reusable only after its response was read to the end.
            async for _ in response.content.iter_any():
                pass
            return Outcome(response.status, retry_after_seconds=self._retry_after(response.headers.get("Retry-After")))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=TARGET_KEEP_ALIVE_SECONDS),
                # Tasks share no cookies; `send` keeps the deadlines; answers are discarded.
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
            )
        return self._session

    def _retry_after(self, value: str | None) -> float | None:
        """Seconds, from a number or a date (RFC 9110 §10.2.3); None for anything else."""
        if value is None:
            return None
        if value.strip().isdecimal():
            return float(value)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - self._clock.time())
        except ValueError:
            return None
