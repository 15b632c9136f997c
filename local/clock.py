"""The clock of the stack: it calls the sweeper at a period, as Cloud Scheduler does."""

import asyncio
from collections.abc import Callable

import aiohttp

#: Cloud Scheduler waits so long for an answer at most.
ANSWER_SECONDS = 1800


async def keep(url: str, token: Callable[[], str], period_seconds: float) -> None:
    """Call this URL at this period, with a new token each time. A call that fails is left to the next one."""
    while True:
        await asyncio.sleep(period_seconds)
        try:
            await _call(url, token())
        except (aiohttp.ClientError, TimeoutError) as error:
            print(f"the sweeper was not called: {type(error).__name__}; again in {period_seconds:g} s", flush=True)


async def _call(url: str, token: str) -> None:
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as http,
        http.post(url, headers={"authorization": f"Bearer {token}"}),
    ):
        pass
