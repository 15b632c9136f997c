"""The service without a network, for Hypothesis: fast, and it can be restarted between requests."""

import functools
import itertools
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings

from localcloud.accounts import Accounts
from localcloud.clock import TurnedClock
from localcloud.http import Answer, Disconnected, Request
from localcloud.storage import Storage
from localcloud.storage.media import resumable

_numbers = itertools.count(1)
#: No shrinking, which can take minutes: a failure prints the steps that led to it.
LIMITS = settings(max_examples=20, stateful_step_count=30, phases=[Phase.generate])
LONG = settings(LIMITS, max_examples=60)


class Service:
    """The service without a network; `restart` has the effect of a kill and a new start."""

    def __init__(self, block_bytes: int = 8) -> None:
        self.block_bytes = block_bytes
        self._folder = tempfile.TemporaryDirectory()
        self.clock = TurnedClock()
        self.accounts = Accounts(Path(self._folder.name) / "keys", "local-project", "http://127.0.0.1", self.clock)
        self.open()

    def open(self) -> None:
        self.storage = Storage(Path(self._folder.name) / "storage", self.clock, self.accounts, _publish)
        self.storage.store.contents.small_bytes = 1  # so that some contents are files
        self.storage.store.uploads.block_bytes = self.block_bytes
        resumable.expire(self.storage.store)
        self.storage.store.sweep()

    @property
    def folder(self) -> Path:
        """Its data folder."""
        return Path(self._folder.name)

    def restart(self) -> None:
        self.storage.store.close()
        self.open()

    def close(self) -> None:
        self.storage.store.close()
        self._folder.cleanup()

    def call(self, method: str, url: str, body: bytes = b"", *, broken: bool = False, **headers: str) -> Answer:
        """The answer to one request; a `broken` one loses its connection after the body."""
        answer: Answer = run(self.storage.answer(self.request(method, url, body, broken=broken, **headers)))
        return answer

    def request(self, method: str, url: str, body: bytes = b"", *, broken: bool = False, **headers: str) -> Request:
        path, _, query = url.partition("?")
        given = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(method, path, query, given, "http", _chunks(body, broken))

    def bucket(self, **fields: Any) -> str:
        """A new, empty bucket."""
        name = f"bucket-{next(_numbers)}"
        assert self.call("POST", "/storage/v1/b", json.dumps({"name": name, **fields}).encode()).status == 200
        return name

    def upload(self, bucket: str, name: str, body: bytes = b"", query: str = "") -> dict[str, Any]:
        """The resource of a new object."""
        url = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}{query}"
        return shown(self.call("POST", url, body, content_type="text/plain"))

    def read(self, bucket: str, name: str, query: str = "") -> bytes | None:
        """An object's bytes; None for a missing object."""
        answer = self.call("GET", f"/storage/v1/b/{bucket}/o/{name}?alt=media{query}")
        assert isinstance(answer.body, bytes)
        return answer.body if answer.status == 200 else None


@functools.cache
def service() -> Service:
    """One service for all examples; each example has its own bucket."""
    return Service()


def close_service() -> None:
    """Close the shared service."""
    if service.cache_info().currsize:
        service().close()
        service.cache_clear()


def run(work: Any) -> Any:
    """The result of a coroutine that awaits no I/O."""
    while True:
        try:
            work.send(None)
        except StopIteration as done:
            return done.value


def heads(answer: Answer) -> dict[str, str]:
    """The headers of an answer."""
    return {name.decode(): value.decode() for name, value in answer.headers}


def text(answer: Answer) -> str:
    """The body of an answer as text."""
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def shown(answer: Answer) -> dict[str, Any]:
    """The resource in an answer."""
    assert isinstance(answer.body, bytes)
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def _chunks(body: bytes, broken: bool) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 7):
        yield body[start : start + 7]
    if broken:
        raise Disconnected


async def _publish(_topic: str, _data: bytes, _attributes: dict[str, str]) -> str:
    return "1"
