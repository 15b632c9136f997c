"""A full disk of the local cloud: an error at once, one line in the log, and all goes on when there is room."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from google.api_core import exceptions

from localcloud.address import Ports
from localcloud.clock import TurnedClock
from localcloud.database import open_database, transaction
from localcloud.disk import RESERVE_BYTES, DiskFull, disk_of
from localcloud.folder import prepare
from localcloud.tls import tls_files
from tests.eventually import eventually
from tests.localcloud.small_disk import DISK_BYTES, QUEUE, SOON_SECONDS, SUBSCRIPTION, Disk, World, made
from tests.localcloud.target import PATIENCE_SECONDS, listening
from tests.machine import ROOT
from tests.ports import free_offset

FULL = "The disk of the local cloud is full"


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
    eventually(lambda: not disk_of(shared.cloud.data).is_full)
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


def test_room_that_is_made_at_the_moment_of_a_refusal_ends_the_outage(disk: Disk) -> None:
    async def refuse() -> None:
        found = disk_of(disk.folder)
        disk.fill()
        with pytest.raises(DiskFull):
            found.require()
        disk.empty()  # before anything else runs in this event loop
        async with asyncio.timeout(PATIENCE_SECONDS):
            while found.is_full:
                await asyncio.sleep(0.01)

    asyncio.run(refuse())


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
    with pytest.raises(exceptions.ResourceExhausted, match=FULL):
        world.publish_once(b"during")

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
    eventually(lambda: world.stored("pubsub", "waiting") == 0)
    world.restart()
    assert world.pubsub.pull(SUBSCRIPTION, now=True) == []


def test_a_notification_waits_for_room(world: World, disk: Disk) -> None:
    world.notify()
    world.exhaust(disk, RESERVE_BYTES + (36 << 10))  # the object takes 32 KiB, its row and the notification the rest
    assert world.upload("told.bin", bytes(32 << 10)).ok
    assert eventually(lambda: disk_of(world.cloud.data).is_full)
    assert world.stored("storage", "outbox") == 1
    disk.empty()
    received = world.pubsub.pull_all(SUBSCRIPTION, 1)
    world.pubsub.ack(SUBSCRIPTION, received)

    assert received[0].message.attributes["objectId"] == "told.bin"
    eventually(lambda: world.stored("storage", "outbox") == 0)


def test_the_reserve_is_for_what_ends_work(world: World, disk: Disk) -> None:
    assert world.upload("old.bin", bytes(64 << 10)).ok
    world.pubsub.publish(world.topic, b"before")
    received = world.pubsub.pull_all(SUBSCRIPTION, 1)
    task = world.task("http://127.0.0.1:1/", seconds=3600)
    disk.fill(RESERVE_BYTES // 2)
    with pytest.raises(exceptions.ResourceExhausted, match=FULL):
        world.publish_once(b"during")
    with pytest.raises(exceptions.TooManyRequests, match=FULL):
        world.task("http://127.0.0.1:1/")
    assert world.upload("new.txt").status_code == 413

    world.pubsub.ack(SUBSCRIPTION, received)
    world.tasks.delete_task(name=task.name)
    assert requests.delete(f"{world.url}/storage/v1/b/files/o/old.bin", timeout=60).ok
    assert world.stored("pubsub", "waiting") == 0


def test_a_task_that_is_due_waits_for_room(disk: Disk) -> None:
    clock = TurnedClock()
    with listening() as target, made(disk.folder / "due", clock) as world:
        world.task(target.url, seconds=1)
        world.exhaust(disk)
        world.run(clock.turn(2))
        assert eventually(lambda: disk_of(world.cloud.data).is_full)
        assert target.received == []
        disk.empty()
        world.run(clock.turn(60))

        assert len(target.wait_for(1)) == 1


def test_upkeep_waits_for_room(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    clock = TurnedClock()
    with made(disk.folder / "turned", clock) as world:
        query = {"uploadType": "resumable", "name": "never.bin"}
        assert requests.post(f"{world.url}/upload/storage/v1/b/files/o", params=query, json={}, timeout=60).ok
        world.pubsub.publish(world.topic, b"old")
        world.exhaust(disk)
        world.run(clock.turn(8 * 86400))
        assert {record.name for record in caplog.records} == {"localcloud.disk"}
        assert (world.stored("storage", "uploads"), world.stored("pubsub", "waiting")) == (1, 1)

        disk.empty()
        world.run(clock.turn(3600))
        eventually(lambda: world.stored("storage", "uploads") + world.stored("pubsub", "waiting") == 0)


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
    offset = free_offset(lambda offset: Ports(offset).all)
    command = [sys.executable, "-m", "localcloud", "up", "--data", str(folder), "--port-offset", str(offset)]
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
