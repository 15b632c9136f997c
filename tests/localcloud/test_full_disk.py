"""The disk of the local cloud is full: an error at once, one line in the log, and everything goes on when there is room."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage

from localcloud.address import Ports
from localcloud.clock import SystemClock
from localcloud.cloud import LocalCloud
from localcloud.database import open_database, transaction
from localcloud.disk import RESERVE_BYTES, DiskFull
from localcloud.folder import prepare
from localcloud.tls import tls_files
from tests.eventually import eventually
from tests.localcloud.pubsub.world import PROJECT, Clients
from tests.localcloud.target import listening
from tests.localcloud.tasks.world import LOCATION, client_of
from tests.localcloud.world import ServiceThread, started
from tests.machine import ROOT
from tests.ports import free_offset

DISK_BYTES = 40 << 20
#: "At once", on a machine where twenty programs work beside the tests.
SOON_SECONDS = 15
FULL = "The disk of the local cloud is full"
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

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SystemClock())
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

    def task(self, url: str) -> Any:
        """A new task."""
        return self.tasks.create_task(parent=QUEUE, task=tasks_v2.Task(http_request={"url": url}))

    def files(self) -> list[Path]:
        """The content files."""
        return list((self.folder / "cloud" / "storage" / "contents").glob("??/*"))

    def exhaust(self, disk: Disk) -> None:
        """Fill the disk, and leave no room in the databases' logs either: not even a deletion can be written."""
        for path in (self.folder / "cloud").glob("*/*.sqlite"):
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        disk.fill()

    async def _start(self) -> None:
        self.cloud = LocalCloud(self.folder / "cloud", self.ports)
        await self.cloud.start()

    async def _stop(self) -> None:
        await self.cloud.stop()

    def restart(self) -> None:
        """Stop it and start it again on its folder."""
        self.run(self._stop())
        self.run(self._start())


@contextmanager
def made(folder: Path) -> Iterator[World]:
    """A local cloud with its resources."""
    with started(World(folder)) as world:
        world.make()
        yield world
        world.pubsub.disconnect()
        world.tasks.transport.close()


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False) if os.getuid() == 0 else None
    if done is None or done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip() if done else 'the tests do not run as root'}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(mounted: Path) -> Iterator[Disk]:
    disk = Disk(mounted)
    yield disk
    disk.empty()


@pytest.fixture(scope="module")
def shared(mounted: Path) -> Iterator[World]:
    with made(mounted / "shared") as world:
        yield world


@pytest.fixture
def world(shared: World, disk: Disk) -> Iterator[World]:
    yield shared
    disk.empty()
    for name in shared.names():
        requests.delete(f"{shared.url}/storage/v1/b/files/o/{name}", timeout=60)
    while received := shared.pubsub.pull(SUBSCRIPTION, now=True):
        shared.pubsub.ack(SUBSCRIPTION, received)


def lines(caplog: pytest.LogCaptureFixture, part: str) -> int:
    """How many lines of the log have this part."""
    return sum(part in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("room", [0, RESERVE_BYTES // 2, RESERVE_BYTES + (1 << 20)], ids=["none", "less", "little"])
def test_an_upload_is_refused_at_once_and_leaves_nothing(world: World, disk: Disk, room: int) -> None:
    disk.fill(room)
    begun, before = time.monotonic(), disk.free
    refused = world.upload("big.bin", os.urandom(6 << 20))

    assert refused.status_code == 413
    assert refused.json()["error"]["message"].startswith(FULL)
    assert time.monotonic() - begun < SOON_SECONDS
    assert (world.files(), world.names()) == ([], [])
    assert disk.free >= before - (1 << 16)

    disk.empty()
    assert world.upload("big.bin", os.urandom(6 << 20)).ok


def test_many_refusals_have_one_line_and_room_another(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    with made(disk.folder / "own") as world:
        disk.fill(RESERVE_BYTES + (1 << 20))
        for number in range(10):
            assert world.upload(f"{number}.bin", bytes(3 << 20)).status_code == 413
            assert world.upload(f"{number}.txt").ok
        disk.fill()
        assert [world.upload("none.txt").status_code for _ in range(20)] == [413] * 20
        assert (lines(caplog, "is full"), lines(caplog, "has room again")) == (1, 0)

        disk.empty()
        eventually(lambda: lines(caplog, "has room again"))
        assert len(caplog.records) == 2, [record.getMessage() for record in caplog.records]


def test_objects_can_be_deleted_to_make_room(world: World, disk: Disk) -> None:
    assert world.upload("old.bin", bytes(4 << 20)).ok
    disk.fill(RESERVE_BYTES - (1 << 20))
    assert world.upload("new.txt").status_code == 413

    assert requests.delete(f"{world.url}/storage/v1/b/files/o/old.bin", timeout=60).ok
    assert world.upload("new.txt").ok


def test_a_resumable_upload_keeps_what_was_acknowledged(world: World, disk: Disk) -> None:
    query = {"uploadType": "resumable", "name": "long.bin"}
    location = requests.post(f"{world.url}/upload/storage/v1/b/files/o", params=query, json={}, timeout=60).headers["location"]

    def send(first: int, size: int, total: str) -> requests.Response:
        sent = {"content-range": f"bytes {first}-{first + size - 1}/{total}"}
        return requests.put(location, data=b"x" * size, headers=sent, timeout=60)

    assert send(0, 1 << 20, "*").headers["range"] == f"bytes=0-{(1 << 20) - 1}"
    disk.fill(RESERVE_BYTES + (1 << 20))
    assert send(1 << 20, 4 << 20, str(5 << 20)).status_code == 413
    assert [path.stat().st_size for path in world.files()] == [1 << 20]

    disk.empty()
    asked = requests.put(location, headers={"content-range": "bytes */*"}, timeout=60)
    assert (asked.status_code, asked.headers["range"]) == (308, f"bytes=0-{(1 << 20) - 1}")
    assert send(1 << 20, 4 << 20, str(5 << 20)).json()["size"] == str(5 << 20)


def test_a_message_is_refused_and_the_earlier_ones_are_delivered(world: World, disk: Disk) -> None:
    world.pubsub.publish(world.topic, b"before")
    disk.fill()
    with pytest.raises(exceptions.ResourceExhausted, match=FULL):  # without the client's retries
        PublisherApi.publish(
            world.pubsub.publisher,
            topic=world.topic,
            messages=[PubsubMessage(data=b"during")],
            retry=None,
            timeout=SOON_SECONDS,
        )

    received = world.pubsub.pull_all(SUBSCRIPTION, 1)
    assert [each.message.data for each in received] == [b"before"]

    disk.empty()
    world.pubsub.ack(SUBSCRIPTION, received)
    world.pubsub.publish(world.topic, b"after")
    received = world.pubsub.pull_all(SUBSCRIPTION, 1)
    world.pubsub.ack(SUBSCRIPTION, received)
    assert [each.message.data for each in received] == [b"after"]


def test_an_acknowledgement_without_room_is_stored_when_there_is_some(world: World, disk: Disk) -> None:
    world.pubsub.publish(world.topic, b"once")
    received = world.pubsub.pull_all(SUBSCRIPTION, 1)
    world.exhaust(disk)
    with pytest.raises(exceptions.ResourceExhausted, match=FULL):
        world.pubsub.subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[received[0].ack_id], retry=None, timeout=30)

    disk.empty()
    eventually(lambda: _waiting(world) == 0)
    world.restart()
    assert world.pubsub.pull(SUBSCRIPTION, now=True) == []


def test_a_notification_waits_for_room(world: World, disk: Disk) -> None:
    world.notify()
    disk.fill(RESERVE_BYTES + 50_000)
    assert world.upload("told.txt").ok
    world.exhaust(disk)
    disk.empty()
    received = world.pubsub.pull_all(SUBSCRIPTION, 1)
    world.pubsub.ack(SUBSCRIPTION, received)

    assert received[0].message.attributes["objectId"] == "told.txt"


def test_a_task_is_refused_and_one_in_flight_is_not_repeated(world: World, disk: Disk) -> None:
    with listening() as target:
        target.gate.clear()
        world.task(target.url)
        target.wait_for(1)
        world.exhaust(disk)
        with pytest.raises(exceptions.TooManyRequests, match=FULL):
            world.task(target.url)
        target.gate.set()
        disk.empty()
        eventually(lambda: not list(world.tasks.list_tasks(parent=QUEUE)))
        world.task(target.url)

        assert len(target.wait_for(2)) == 2


def test_a_start_on_a_full_disk_says_so(disk: Disk) -> None:
    folder = prepare(disk.folder / "other")
    tls_files(folder / "tls")
    disk.fill()
    command = [sys.executable, "-m", "localcloud", "up", "--data", str(folder), "--port-offset", "500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    remedy = "free some space on it, or use a folder on another disk: --data FOLDER"
    assert done.stderr == f"error: the local cloud cannot start: the disk of {folder} is full; {remedy}\n"


def test_a_first_start_on_a_full_disk_leaves_no_mark(disk: Disk) -> None:
    disk.fill()
    with pytest.raises(Exception, match="No space left on device"):
        prepare(disk.folder / "new")
    disk.empty()

    prepare(disk.folder / "new")


def test_a_transaction_that_finds_no_room_is_over(disk: Disk) -> None:
    database = open_database(disk.folder / "alone" / "service" / "a.sqlite", "CREATE TABLE IF NOT EXISTS a (b)")
    disk.fill()
    for _ in range(2):
        with pytest.raises(DiskFull), transaction(database):
            database.executemany("INSERT INTO a VALUES (?)", [(os.urandom(1 << 20),)] * 2)
    disk.empty()
    with transaction(database):
        database.execute("INSERT INTO a VALUES (1)")

    assert [row[0] for row in database.execute("SELECT * FROM a")] == [1]
    database.close()


def _waiting(world: World) -> int:
    """How many deliveries are stored."""
    with closing(sqlite3.connect(world.folder / "cloud" / "pubsub" / "pubsub.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM waiting").fetchone()[0])
