"""A small disk, and a whole local cloud on it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from google.cloud import tasks_v2
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage

from localcloud.address import Ports
from localcloud.clock import Clock, SystemClock
from localcloud.cloud import LocalCloud
from tests.localcloud.pubsub.world import PROJECT, Clients
from tests.localcloud.tasks.world import LOCATION, client_of
from tests.localcloud.world import ServiceThread, started
from tests.ports import free_offset

DISK_BYTES = 40 << 20
#: "At once", on a machine where twenty programs work beside the tests.
SOON_SECONDS = 15
QUEUE = f"{LOCATION}/queues/work"
SUBSCRIPTION = f"{PROJECT}/subscriptions/readers"


class Disk:
    """A small disk; `fill` leaves so many bytes of room on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    @property
    def free(self) -> int:
        """Bytes of room."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, room: int = 0) -> None:
        """Fill it, as another program would."""
        self.empty()
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.free - room)

    def empty(self) -> None:
        """Free what `fill` took."""
        self._ballast.unlink(missing_ok=True)


class World(ServiceThread):
    """A whole local cloud in a thread, with a bucket that notifies a topic, its subscription, and a queue."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder, clock)
        self.ports = Ports(free_offset(lambda offset: Ports(offset).all))
        self.url = f"http://127.0.0.1:{self.ports.storage}"

    def make(self) -> None:
        """Make the resources, and Google's clients."""
        self.pubsub = Clients(self.ports.pubsub_grpc)
        self.tasks = client_of(self.ports.tasks)
        self.topic = self.pubsub.topic("news")
        self.pubsub.subscription("readers", self.topic)
        assert requests.post(f"{self.url}/storage/v1/b?project=local-project", json={"name": "files"}, timeout=60).ok
        self.tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE))

    def notify(self) -> None:
        """Publish the bucket's changes to the topic."""
        config = {"topic": f"//pubsub.googleapis.com/{self.topic}"}
        assert requests.post(f"{self.url}/storage/v1/b/files/notificationConfigs", json=config, timeout=60).ok

    def upload(self, name: str, data: bytes = b"small") -> requests.Response:
        """A media upload."""
        query = {"uploadType": "media", "name": name}
        return requests.post(f"{self.url}/upload/storage/v1/b/files/o", params=query, data=data, timeout=60)

    def names(self) -> list[str]:
        """The names of the objects."""
        return [item["name"] for item in requests.get(f"{self.url}/storage/v1/b/files/o", timeout=60).json().get("items", [])]

    def publish_once(self, data: bytes) -> None:
        """Publish without the client's retries."""
        messages = [PubsubMessage(data=data)]
        PublisherApi.publish(self.pubsub.publisher, topic=self.topic, messages=messages, retry=None, timeout=SOON_SECONDS)

    def task(self, url: str, seconds: float = 0) -> Any:
        """A new task, due in so many seconds."""
        due = {"schedule_time": datetime.fromtimestamp(self.clock.time() + seconds, UTC)} if seconds else {}
        return self.tasks.create_task(parent=QUEUE, task=tasks_v2.Task(http_request={"url": url}, **due))

    def stored(self, service: str, table: str) -> int:
        """How many rows a table has."""
        with closing(sqlite3.connect(self.folder / "cloud" / service / f"{service}.sqlite")) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def files(self) -> list[Path]:
        """The content files."""
        return list((self.folder / "cloud" / "storage" / "contents").glob("??/*"))

    def exhaust(self, disk: Disk, room: int = 0) -> None:
        """Fill the disk, and leave no room in the databases' logs either: without room, no deletion can be written."""
        for path in (self.folder / "cloud").glob("*/*.sqlite"):
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        disk.fill(room)

    async def _start(self) -> None:
        self.cloud = LocalCloud(self.folder / "cloud", self.ports, self.clock)
        await self.cloud.start()

    async def _stop(self) -> None:
        await self.cloud.stop()

    def restart(self) -> None:
        """Stop it and start it again on its folder."""
        self.run(self._stop())
        self.run(self._start())


@contextmanager
def made(folder: Path, clock: Clock | None = None) -> Iterator[World]:
    """A local cloud with its resources."""
    with started(World(folder, clock or SystemClock())) as world:
        world.make()
        yield world
        world.pubsub.disconnect()
        world.tasks.transport.close()
