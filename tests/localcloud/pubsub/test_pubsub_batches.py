"""Batches: messages that are stored together but delivered and acknowledged one by one."""

import asyncio
import contextlib
import functools
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from localcloud.clock import SystemClock
from localcloud.disk import Disk, DiskFull
from localcloud.protobuf import microseconds
from localcloud.pubsub.data.batches import CACHE_BYTES
from localcloud.pubsub.data.bodies import LARGE_BYTES, Bodies
from localcloud.pubsub.data.journal import MAX_LOG_PAGES
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import PublishRequest, PubsubMessage, Subscription, Topic
from localcloud.pubsub.model import Consumer
from tests.localcloud.target import PATIENCE_SECONDS

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/all"


def in_loop(test: Callable[[Path], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """Run the test in an event loop: the journal commits at the end of a turn."""

    @functools.wraps(test)
    def run(tmp_path: Path) -> None:
        asyncio.run(test(tmp_path))

    return run


@contextlib.asynccontextmanager
async def broker(folder: Path, *subscriptions: Any) -> AsyncIterator[Broker]:
    """A broker with one topic. It opens the files of an earlier broker in the same folder."""
    store = Store(folder, SystemClock())
    opened = Broker(store, SystemClock())
    if not opened.topics:
        opened.add_topic(Topic(name=TOPIC))
    for subscription in subscriptions:
        opened.add_subscription(subscription)
    yield opened
    opened.stop()
    store.close()


def listener(name: str = SUBSCRIPTION, **settings: Any) -> Any:
    return Subscription(name=name, topic=TOPIC, **settings)


def published(*contents: Any) -> Any:
    return PublishRequest(topic=TOPIC, messages=contents)


def taken(source: Broker, name: str = SUBSCRIPTION, limit: int = 1000) -> list[Any]:
    """The subscription's messages as a consumer receives them, each with its ack id."""
    subscription = source.subscription(name)
    deliveries = subscription.take(Consumer(), limit, 60)
    return [
        (PubsubMessage.FromString(subscription.content(each).SerializeToString()), subscription.ack_id(each))
        for each in deliveries
    ]


def data(received: list[Any]) -> list[bytes]:
    return [message.data for message, _ in received]


@in_loop
async def test_a_publishers_own_id_and_time_are_replaced(tmp_path: Path) -> None:
    claimed = PubsubMessage(data=b"x", message_id="7")
    claimed.publish_time.FromMicroseconds(7)
    async with broker(tmp_path, listener()) as source:
        [id_] = await source.publish(published(claimed))
        [(message, _)] = taken(source)

    assert message.message_id == str(id_)
    assert microseconds(message.publish_time) == id_ // 1000 * 1000


@in_loop
async def test_a_filter_selects_messages_inside_a_batch(tmp_path: Path) -> None:
    contents = [PubsubMessage(data=b"%d" % number, attributes={"odd": ""} if number % 2 else {}) for number in range(6)]
    async with broker(tmp_path, listener(filter="attributes:odd")) as source:
        ids = await source.publish(published(*contents))
        received = taken(source)

    assert data(received) == [b"1", b"3", b"5"]
    assert [message.message_id for message, _ in received] == [str(ids[place]) for place in (1, 3, 5)]


@in_loop
async def test_a_restart_delivers_only_the_unacknowledged_messages_of_a_batch(tmp_path: Path) -> None:
    async with broker(tmp_path, listener()) as source:
        await source.publish(published(*(PubsubMessage(data=b"%d" % number, ordering_key="k") for number in range(5))))
        received = taken(source)
        source.subscription(SUBSCRIPTION).acknowledge([received[place][1] for place in (0, 3)])

    async with broker(tmp_path) as source:
        again = taken(source)

        assert data(again) == [b"1", b"2", b"4"]
        assert [message.ordering_key for message, _ in again] == ["k"] * 3
        assert [message.message_id for message, _ in again] == [received[place][0].message_id for place in (1, 2, 4)]
        [new] = await source.publish(published(PubsubMessage(data=b"new")))
        assert new > int(received[-1][0].message_id)
        source.subscription(SUBSCRIPTION).acknowledge([again[0][1]])

    async with broker(tmp_path) as source:
        assert data(taken(source)) == [b"2", b"4", b"new"]


@in_loop
async def test_a_batch_without_holders_is_deleted(tmp_path: Path) -> None:
    other = "projects/p/subscriptions/other"
    async with broker(tmp_path, listener(), listener(other)) as source:
        await source.publish(published(PubsubMessage(data=b"a"), PubsubMessage(data=b"b")))
        for name in (SUBSCRIPTION, other):
            assert await _batches(source, tmp_path) == 1
            source.subscription(name).acknowledge([ack_id for _, ack_id in taken(source, name)])

        assert await _batches(source, tmp_path) == 0


@in_loop
async def test_batches_outside_the_cache_are_read_from_disk(tmp_path: Path) -> None:
    count = CACHE_BYTES // 8_000_000 + 2
    async with broker(tmp_path, listener()) as source:
        for number in range(count):
            await source.publish(
                published(PubsubMessage(data=b"%d" % number + bytes(8_000_000)), PubsubMessage(data=b"%d" % number))
            )
        received = [each for _ in range(2 * count) for each in taken(source, limit=1)]

    assert [message.data[:1] for message, _ in received] == [b"%d" % (place // 2) for place in range(2 * count)]


@in_loop
async def test_commits_are_moved_from_the_log_to_the_file(tmp_path: Path) -> None:
    count, each = 50, LARGE_BYTES // 2
    size = count * each
    assert size < MAX_LOG_PAGES * 4096
    async with broker(tmp_path, listener()) as source:
        for _ in range(count):
            await source.publish(published(PubsubMessage(data=bytes(each))))

        async with asyncio.timeout(PATIENCE_SECONDS):
            while (tmp_path / "pubsub.sqlite").stat().st_size < size:
                await asyncio.sleep(0.01)


@in_loop
async def test_a_large_batch_is_a_file_until_it_is_acknowledged(tmp_path: Path) -> None:
    async with broker(tmp_path, listener()) as source:
        await source.publish(large(b"a", b"b"), large(b"a", b"b").SerializeToString())
        received = taken(source)
        source.subscription(SUBSCRIPTION).acknowledge([received[0][1]])
        await source.committed()
        assert len(files(tmp_path)) == 1

    async with broker(tmp_path) as source:
        again = taken(source)
        assert [content[:1] for content in data(again)] == [b"b"]
        source.subscription(SUBSCRIPTION).acknowledge([again[0][1]])
        await source.committed()
        assert files(tmp_path) == []


@in_loop
async def test_a_file_without_a_commit_is_removed_at_start(tmp_path: Path) -> None:
    async with broker(tmp_path, listener()) as source:
        await source.publish(large(b"a"))
        [kept] = files(tmp_path)
    (tmp_path / "batches" / "7").write_bytes(b"never committed")
    (tmp_path / "batches" / ".DS_Store").touch()

    async with broker(tmp_path) as source:
        assert files(tmp_path) == [".DS_Store", kept]
        assert [content[:1] for content in data(taken(source))] == [b"a"]


@pytest.mark.parametrize("left", [None, b"", b"half"])
def test_a_batch_whose_file_lost_bytes_is_dropped_with_a_warning(
    tmp_path: Path, left: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    @in_loop
    async def lose(folder: Path) -> None:
        async with broker(folder, listener()) as source:
            await source.publish(large(b"lost"))
            [name] = files(folder)
            await source.publish(published(PubsubMessage(data=b"kept")))
        path = folder / "batches" / name
        path.unlink() if left is None else path.write_bytes(left)

        async with broker(folder) as source:
            assert data(taken(source)) == [b"kept"]
            assert files(folder) == []
        assert f"the messages of batch {name} are lost" in caplog.text

    lose(tmp_path)


@in_loop
async def test_a_full_disk_refuses_a_large_batch(tmp_path: Path) -> None:
    bodies = Bodies(tmp_path, Disk(tmp_path))
    (tmp_path / "7").symlink_to("/dev/full")

    with pytest.raises(DiskFull):
        bodies.write(7, bytes(LARGE_BYTES))
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_is_written_in_part_is_refused(tmp_path: Path) -> None:
    bodies = Bodies(tmp_path, Disk(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE_BYTES // 2, limits[1]))
    try:
        with pytest.raises(DiskFull):
            bodies.write(7, bytes(LARGE_BYTES))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@in_loop
async def test_a_message_without_a_recipient_is_not_stored(tmp_path: Path) -> None:
    request = published(PubsubMessage(data=b"wanted", attributes={"odd": ""}), PubsubMessage(data=b"unwanted"))
    async with broker(tmp_path, listener(filter="attributes:odd")) as source:
        await source.publish(request, request.SerializeToString())
        with contextlib.closing(sqlite3.connect(tmp_path / "pubsub.sqlite")) as database:
            [(body,)] = database.execute("SELECT body FROM batches")
            assert [message.data for message in PublishRequest.FromString(body).messages] == [b"wanted", b""]


@in_loop
async def test_attempts_are_counted_by_place_and_survive(tmp_path: Path) -> None:
    policy = {"dead_letter_topic": TOPIC, "max_delivery_attempts": 5}
    async with broker(tmp_path, listener(dead_letter_policy=policy)) as source:
        await source.publish(published(*(PubsubMessage(data=b"%d" % number) for number in range(3))))
        subscription = source.subscription(SUBSCRIPTION)
        first, second, _ = taken(source)
        subscription.modify_deadline([second[1]], 0)
        taken(source)
        subscription.acknowledge([first[1]])
        await source.committed()
        with contextlib.closing(sqlite3.connect(tmp_path / "pubsub.sqlite")) as database:
            assert database.execute("SELECT places, attempts FROM waiting").fetchall() == [(b"\x06", '{"1": 2, "2": 1}')]

    async with broker(tmp_path) as source:
        found = source.subscription(SUBSCRIPTION).backlog.deliveries.values()
        assert [(each.message.place, each.attempts) for each in found] == [(1, 2), (2, 1)]


@in_loop
async def test_a_message_that_no_consumer_took_can_be_sought_expired_and_deleted(tmp_path: Path) -> None:
    async with broker(tmp_path, listener()) as source:
        subscription = source.subscription(SUBSCRIPTION)
        for number in range(3):
            [first, _] = await source.publish(published(PubsubMessage(data=b"%d" % number), PubsubMessage(data=b"x")))
        subscription.drop_before(first - 1)
        assert [message.id for message in subscription.unacknowledged()] == [first, first + 1]
        subscription.seek([])
        assert taken(source) == []
        await source.publish(published(PubsubMessage(data=b"y")))
        source.remove_subscription(SUBSCRIPTION)
        assert await _batches(source, tmp_path) == 0


@in_loop
async def test_new_messages_arrive_behind_those_that_were_returned_before(tmp_path: Path) -> None:
    async with broker(tmp_path, listener()) as source:
        await source.publish(published(PubsubMessage(data=b"a"), PubsubMessage(data=b"b")))
        [(_, ack_id)] = taken(source, limit=1)
        await source.publish(published(PubsubMessage(data=b"c")))
        source.subscription(SUBSCRIPTION).modify_deadline([ack_id], 0)
        await source.publish(published(PubsubMessage(data=b"d")))

        assert data(taken(source)) == [b"b", b"c", b"a", b"d"]


def large(*contents: bytes) -> Any:
    """A request whose body is a file."""
    return published(*(PubsubMessage(data=content + bytes(LARGE_BYTES)) for content in contents))


def files(folder: Path) -> list[str]:
    """The names of the files of batches."""
    return sorted(path.name for path in (folder / "batches").iterdir())


async def _batches(source: Broker, folder: Path) -> int:
    """The number of batches on disk."""
    await source.committed()
    with contextlib.closing(sqlite3.connect(folder / "pubsub.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM batches").fetchone()[0])
