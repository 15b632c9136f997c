"""Batches: messages that are stored together but delivered and acknowledged one by one."""

import asyncio
import contextlib
import functools
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from localcloud.clock import SystemClock
from localcloud.protobuf import microseconds
from localcloud.pubsub.data import batches
from localcloud.pubsub.data.batches import CACHE_BYTES
from localcloud.pubsub.data.journal import MAX_LOG_PAGES
from localcloud.pubsub.data.store import Store
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import PublishRequest, PubsubMessage, Subscription, Topic
from localcloud.pubsub.model import Batch, Consumer, Message
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


def test_a_run_is_consecutive_messages_of_one_batch() -> None:
    one, two = Batch(1), Batch(4)
    messages = {number: Message(number, 1, "", one if number < 4 else two) for number in range(1, 8)}

    def runs(*numbers: int) -> list[tuple[int, int]]:
        return [(first.id, last.id) for first, last in batches.runs([messages[number] for number in numbers])]

    assert runs(1, 2, 3) == [(1, 3)]
    assert runs(1, 2, 3, 4, 5) == [(1, 3), (4, 5)]
    assert runs(1, 3, 4, 6, 7) == [(1, 1), (3, 3), (4, 4), (6, 7)]


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
    size = 3 << 20
    assert size < MAX_LOG_PAGES * 4096
    async with broker(tmp_path, listener()) as source:
        await source.publish(published(PubsubMessage(data=bytes(size))))

        async with asyncio.timeout(PATIENCE_SECONDS):
            while (tmp_path / "pubsub.sqlite").stat().st_size < size:
                await asyncio.sleep(0.01)


async def _batches(source: Broker, folder: Path) -> int:
    """The number of batches on disk."""
    await source.committed()
    with contextlib.closing(sqlite3.connect(folder / "pubsub.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM batches").fetchone()[0])
