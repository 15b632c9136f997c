"""Files through the three doors of a running stack, looks at their statuses, and the time of each answer.

`python -m benchmarks.loads.doors PREFIX FILES SENDERS PAUSE_SECONDS WATCHERS`: so many senders for each door, which rest after each
file. The variables of the environment say where the stack is. Prints JSON.
"""

import asyncio
import io
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from PIL import Image

#: Looks at statuses at the same time, and the rest between two: as many pages that people watch.
WATCHERS, WATCH_SECONDS = 4, 0.25
#: The rest before a refused request is sent again.
AGAIN_SECONDS = 0.5
TEXT = b"To be, or not to be, that is the question.\n" * 40
BUCKET, ISSUER, UPLOAD, STATUS = DOORS = ("bucket", "issuer", "upload", "status")

#: The name's end, the content type, the bytes.
Kind = tuple[str, str, bytes]
Accept = Callable[[str, Kind], Coroutine[Any, Any, str]]


def kinds() -> list[Kind]:
    """Of ten files, seven are texts, two are pictures and one is a table. Each kind has a queue of its own."""
    texts: list[Kind] = [("txt", "text/plain", TEXT)] * 7
    return [*texts, *[("jpg", "image/jpeg", picture())] * 2, ("csv", "text/csv", b"name,size\ncat,4\n")]


def picture() -> bytes:
    """A small JPEG."""
    encoded = io.BytesIO()
    Image.radial_gradient("L").resize((160, 107)).convert("RGB").save(encoded, "JPEG")
    return encoded.getvalue()


class Client:
    """Sends through each door, and notes the milliseconds of every answer and the names that were accepted."""

    def __init__(self, http: aiohttp.ClientSession, urls: Mapping[str, str]) -> None:
        self._http, self._urls = http, urls
        self.names: list[str] = []
        self.took: dict[str, list[float]] = {door: [] for door in DOORS}
        self.refused: Counter[str] = Counter()

    async def to_bucket(self, name: str, kind: Kind) -> str:
        path = f"/upload/storage/v1/b/uploads/o?uploadType=media&name={quote(name, safe='')}"
        await self._ask(BUCKET, "POST", self._urls[BUCKET] + path, data=kind[2], headers={"content-type": kind[1]})
        return name

    async def to_upload_service(self, name: str, kind: Kind) -> str:
        url = f"{self._urls[UPLOAD]}/{quote(name)}"
        return str((await self._ask(UPLOAD, "PUT", url, data=kind[2], headers={"content-type": kind[1]}))["object"])

    async def to_signed_url(self, name: str, kind: Kind) -> str:
        wanted = {"name": name, "content_type": kind[1]}
        ticket = await self._ask(ISSUER, "POST", self._urls[ISSUER], json=wanted)
        await self._ask(BUCKET, "PUT", ticket["url"], data=kind[2], headers=ticket["headers"])
        return str(ticket["object"])

    async def watch(self, all_sent: asyncio.Event) -> None:
        """Look at the status of one of the files, again and again until all are sent, and once at least."""
        has_looked = False
        while not (has_looked and all_sent.is_set()):
            await asyncio.sleep(WATCH_SECONDS)
            if self.names:
                await self._ask(STATUS, "GET", f"{self._urls[STATUS]}/objects/{quote(random.choice(self.names))}")
                has_looked = True

    async def _ask(self, door: str, method: str, url: str, **content: Any) -> Any:
        """The JSON that answers. Each try is timed; one that is refused (429, 5xx) is repeated."""
        while True:
            begun = time.monotonic()
            async with self._http.request(method, url, **content) as answer:
                body = await answer.read()
            self.took[door].append((time.monotonic() - begun) * 1000)
            if answer.ok:
                return json.loads(body or b"null")
            if answer.status != 429 and answer.status < 500:
                raise RuntimeError(f"{method} {url}: {answer.status} {body.decode()}")
            self.refused[f"{door} {answer.status}"] += 1
            await asyncio.sleep(AGAIN_SECONDS)


async def send(prefix: str, files: int, senders: int, pause_seconds: float, watchers: int) -> dict[str, Any]:
    """Send so many files, in turn through each door."""
    # Each request has its own connection, as from another client: a kept one may be closed just when it is used again.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http, _watched(Client(http, _urls()), watchers) as client:
        doors: tuple[Accept, ...] = (client.to_bucket, client.to_upload_service, client.to_signed_url)
        numbers = iter(range(files))
        await asyncio.gather(*(_send(client, doors, prefix, numbers, pause_seconds) for _ in range(senders * len(doors))))
    return {"names": client.names, "took_ms": client.took, "refused": client.refused}


async def _send(client: Client, doors: tuple[Accept, ...], prefix: str, numbers: Iterator[int], pause_seconds: float) -> None:
    every = kinds()
    for number in numbers:
        kind = every[number // len(doors) % len(every)]
        name = f"{prefix}/{number:06}.{kind[0]}"
        client.names.append(await doors[number % len(doors)](name, kind))
        await asyncio.sleep(pause_seconds)


@asynccontextmanager
async def _watched(client: Client, watchers: int) -> AsyncIterator[Client]:
    """Look at statuses meanwhile."""
    all_sent = asyncio.Event()
    async with asyncio.TaskGroup() as watching:
        for _ in range(watchers):
            watching.create_task(client.watch(all_sent))
        yield client
        all_sent.set()


def _urls() -> dict[str, str]:
    functions = {door: os.environ[f"SLUICE_{door.upper()}_URL"] for door in (ISSUER, UPLOAD, STATUS)}
    return {BUCKET: os.environ["STORAGE_EMULATOR_HOST"], **functions}


if __name__ == "__main__":
    prefix, files, senders, pause_seconds, watchers = sys.argv[1:]
    print(json.dumps(asyncio.run(send(prefix, int(files), int(senders), float(pause_seconds), int(watchers)))))
