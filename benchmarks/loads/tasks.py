"""A target that does nothing, and queues that call it: as fast as they may, and at 100 a second.

`python -m benchmarks.loads.tasks PORT`
"""

import asyncio
import http.client
import json
import sys
import time
from typing import Any

QUEUES, TASKS = 8, 6000
RATE, WINDOW_SECONDS = 100, 10
PARENT = "/v2/projects/local-project/locations/us-central1/queues"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Target(asyncio.Protocol):
    """Answers 200 and notes the time."""

    def __init__(self, arrivals: list[float]) -> None:
        self._arrivals = arrivals

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        # The tasks have no body, and the server sends no request before the last is answered.
        if data.endswith(b"\r\n\r\n"):
            self._arrivals.append(time.monotonic())
            self._transport.write(ANSWER)


class Service:
    """The REST API over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def call(self, path: str, body: dict[str, Any]) -> None:
        """POST; raises unless the answer is 200."""
        self._connection.request("POST", PARENT + path, json.dumps(body))
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(content.decode())

    def fill(self, queue: str, rate: int, url: str, count: int) -> None:
        """A paused queue with so many tasks."""
        name = f"{PARENT.removeprefix('/v2/')}/{queue}"
        self.call("", {"name": name, "rateLimits": {"maxDispatchesPerSecond": rate}})
        self.call(f"/{queue}:pause", {})
        for _ in range(count):
            self.call(f"/{queue}/tasks", {"task": {"httpRequest": {"url": url}}})


async def _measure(port: int) -> dict[str, float]:
    arrivals: list[float] = []
    server = await asyncio.get_running_loop().create_server(lambda: Target(arrivals), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    service = Service(port)
    many = await _dispatches(service, url, arrivals)
    arrivals.clear()
    steady = await _at_a_rate(service, url, arrivals)
    server.close()
    return {"dispatches_per_second": many, "at_100_per_second": steady}


async def _dispatches(service: Service, url: str, arrivals: list[float]) -> float:
    """Dispatches a second of several queues, from the first to the last."""
    names = [f"load-{number}" for number in range(QUEUES)]
    for name in names:
        service.fill(name, 500, url, TASKS // QUEUES)
    for name in names:
        service.call(f"/{name}:resume", {})
    await _arrived(arrivals, TASKS)
    return (TASKS - 1) / (arrivals[-1] - arrivals[0])


async def _at_a_rate(service: Service, url: str, arrivals: list[float]) -> float:
    """Dispatches a second of a queue that may make 100, over 10 s once its burst is over."""
    service.fill("steady", RATE, url, RATE * (WINDOW_SECONDS + 3))
    service.call("/steady:resume", {})
    await _arrived(arrivals, RATE * (WINDOW_SECONDS + 3))
    begin = arrivals[0] + 1
    return sum(begin <= moment < begin + WINDOW_SECONDS for moment in arrivals) / WINDOW_SECONDS


async def _arrived(arrivals: list[float], count: int) -> None:
    async with asyncio.timeout(120):
        while len(arrivals) < count:
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1])))))
