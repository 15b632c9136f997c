"""The clock of the stack: it calls the sweeper with a token, and goes on after a call that fails."""

import asyncio
from itertools import count

from aiohttp import web

from local import clock
from localcloud.address import HOST
from tests.ports import free_port


def test_the_clock_calls_again_after_a_failure_each_time_with_a_new_token() -> None:
    assert asyncio.run(_called(3)) == ["Bearer token 0", "Bearer token 1", "Bearer token 2"]


async def _called(times: int) -> list[str]:
    """The headers of the first calls, of which the first is answered with 503."""
    seen: list[str] = []
    done = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["authorization"])
        if len(seen) == times:
            done.set()
        return web.Response(status=503 if len(seen) == 1 else 200)

    app, port, numbers = web.Application(), free_port(), count()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    calling = asyncio.create_task(clock.keep(f"http://{HOST}:{port}/", lambda: f"token {next(numbers)}", 0.01))
    try:
        await asyncio.wait_for(done.wait(), 60)
    finally:
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        await runner.cleanup()
    return seen[:times]
