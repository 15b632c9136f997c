"""Cloud Storage in its own thread, its published messages, and small HTTP helpers."""

import json
import socket
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.server import HttpServer
from localcloud.storage import Storage
from localcloud.tls import TlsFiles, tls_files
from tests.eventually import eventually
from tests.localcloud.world import ServiceThread
from tests.ports import free_port

TOPIC = "projects/local-project/topics/uploads"


class World(ServiceThread):
    """A running service; `published` holds the accepted messages, `topics` the existing topics."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder, clock)
        self.tls_port = free_port()
        self.tls: TlsFiles = tls_files(folder / "tls")
        self.published: list[tuple[str, bytes, dict[str, str]]] = []
        self.topics = {TOPIC}
        self.broken = False
        self.http = requests.Session()

    def stop(self) -> None:
        """Close the connections, stop the service and end the thread."""
        self.http.close()
        super().stop()

    def bucket(self, name: str, **fields: Any) -> str:
        """A new, empty bucket."""
        reply = self.http.post(f"{self.url}/storage/v1/b?project=local-project", json={"name": name, **fields})
        assert reply.status_code == 200, reply.text
        return name

    def upload(self, bucket: str, name: str, data: bytes = b"", query: str = "", **headers: str) -> requests.Response:
        """A media upload."""
        url = f"{self.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}{query}"
        return self.http.post(url, data=data, headers=headers)

    def object_url(self, bucket: str, name: str, query: str = "") -> str:
        """The URL of an object in the JSON API."""
        return f"{self.url}/storage/v1/b/{bucket}/o/{quote(name, safe='')}{query}"

    def listed(self, bucket: str, query: str = "") -> dict[str, Any]:
        """A page of objects."""
        found: dict[str, Any] = self.http.get(f"{self.url}/storage/v1/b/{bucket}/o{query}").json()
        return found

    def names(self, bucket: str, query: str = "") -> list[str]:
        """The names on a page of objects."""
        return [item["name"] for item in self.listed(bucket, query).get("items", [])]

    def notify(self, bucket: str, **fields: Any) -> str:
        """Create a notification configuration. Returns its id."""
        url = f"{self.url}/storage/v1/b/{bucket}/notificationConfigs"
        reply = self.http.post(url, json={"topic": f"//pubsub.googleapis.com/{TOPIC}", **fields})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["id"])

    def events(self, bucket: str, count: int) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """Attributes and payloads published for a bucket; waits for at least `count`."""

        def found() -> list[tuple[dict[str, str], dict[str, Any]]]:
            mine = [(a, d) for _, d, a in list(self.published) if a["bucketId"] == bucket]
            return [(attributes, json.loads(data) if data else {}) for attributes, data in mine]

        eventually(lambda: len(found()) >= count)
        return found()

    def contents(self) -> int:
        """The number of contents in files and in the database."""
        return kept_contents(self.folder / "storage")

    async def _start(self) -> None:
        self.storage = Storage(self.folder / "storage", self.clock, self.accounts, self._publish)
        tls = HttpServer(self.storage.app, self.tls_port, "storage, https", self.tls)
        self._servers = [HttpServer(self.storage.app, self.port, "storage"), tls]
        for server in self._servers:
            await server.start()
        await self.storage.start()

    async def _stop(self) -> None:
        for server in self._servers:
            await server.stop()
        await self.storage.stop()

    async def _publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        if self.broken:
            self.broken = False
            raise RuntimeError("out of order; this test says so")
        if topic not in self.topics:
            raise ApiError("NOT_FOUND", "Topic does not exist.")
        self.published.append((topic, data, attributes))
        return str(len(self.published))


def kept_contents(folder: Path) -> int:
    """The number of contents in a data folder, unfinished uploads included."""
    with closing(sqlite3.connect(folder / "storage.sqlite")) as database:
        small: int = database.execute("SELECT count(*) FROM small_contents").fetchone()[0]
    return small + sum(1 for _ in (folder / "contents").glob("??/*"))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(
    port: int, method: str, path: str, headers: dict[str, str], body: bytes = b"", *, is_chunked: bool = False
) -> Reply:
    """One request over its own connection, with these headers only; a chunked body has two chunks."""
    framing = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in [*headers.items(), framing]] + ["", ""]
    if is_chunked:
        halves = [half for half in (body[: len(body) // 2], body[len(body) // 2 :]) if half]
        body = b"".join(b"%x\r\n%b\r\n" % (len(half), half) for half in halves) + b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        with HTTPResponse(connection, method=method) as reply:
            reply.begin()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())


def send_part(port: int, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    """Send a request with a truncated body, and hang up."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
