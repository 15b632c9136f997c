"""Uploads that arrive at nearly the same time share a commit; each is stored or refused by itself."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localcloud.database import Database, open_database, transaction
from localcloud.disk import DiskFull
from localcloud.http import Answer
from localcloud.storage.data.group_commit import GroupCommit, Work
from localcloud.storage.model import Object
from tests.localcloud.storage.direct import Service, shown

PAGE_BYTES = 4096
OBJECT = Object("b", "x", 1, 1, 0.0, 0.0, None, "", 0, "", None, None, {})


class Groups:
    """A group commit without a database; `sizes` are the numbers of changes of each transaction."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.commit = GroupCommit(self._begun)

    @contextmanager
    def _begun(self) -> Iterator[list[str]]:
        self.sizes.append(0)
        yield []

    def work(self, _garbage: list[str]) -> Object:
        self.sizes[-1] += 1
        return OBJECT


@pytest.fixture
def groups() -> Groups:
    return Groups()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def commits(service: Service) -> int:
    """The number of commits in the log of a new database: the frames that end one (https://sqlite.org/fileformat2.html)."""
    log = (service.folder / "storage" / "storage.sqlite-wal").read_bytes()
    return sum(any(log[frame + 4 : frame + 8]) for frame in range(32, len(log), 24 + PAGE_BYTES))


def uploads(service: Service, bucket: str, *queries: str) -> list[Answer]:
    """The answers to uploads in one turn; each has the text of its query as its bytes."""

    async def sent() -> list[Answer]:
        url = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name="
        requests = [service.request("POST", url + query, query.encode()) for query in queries]
        return await asyncio.gather(*(service.storage.answer(request) for request in requests))

    return asyncio.run(sent())


def files(service: Service) -> int:
    """The number of content files."""
    return len(list((service.folder / "storage" / "contents").glob("??/*")))


def test_uploads_of_one_turn_share_a_commit(service: Service) -> None:
    bucket = service.bucket()
    before = commits(service)

    answers = uploads(service, bucket, *map(str, range(20)))

    assert [answer.status for answer in answers] == [200] * 20
    assert [service.read(bucket, str(number)) for number in range(20)] == [b"%d" % number for number in range(20)]
    assert commits(service) == before + 1


def test_a_refused_upload_refuses_no_other_and_leaves_nothing(service: Service) -> None:
    bucket = service.bucket()
    topic = {"topic": "//pubsub.googleapis.com/projects/p/topics/t", "payload_format": "NONE"}
    service.upload(bucket, "old", b"first")
    service.call("POST", f"/storage/v1/b/{bucket}/notificationConfigs", json.dumps(topic).encode())
    before = commits(service)

    answers = uploads(service, bucket, "one", "old&ifGenerationMatch=0", "two")

    assert [answer.status for answer in answers] == [200, 412, 200]
    assert [service.read(bucket, name) for name in ("one", "old", "two")] == [b"one", b"first", b"two"]
    assert files(service) == 3
    assert commits(service) == before + 1
    announced = [message.attributes["objectId"] for _, message in service.storage.store.messages.waiting((), 10)]
    assert announced == ["one", "two"]


def test_of_uploads_of_one_name_the_first_creates_and_the_last_stays(service: Service) -> None:
    bucket = service.bucket()
    created = uploads(service, bucket, "x&ifGenerationMatch=0", "x&ifGenerationMatch=0&again")
    replaced = uploads(service, bucket, "y", "y&again", "y&at&last")

    assert [answer.status for answer in created] == [200, 412]
    generations = [int(shown(answer)["generation"]) for answer in replaced]
    assert generations == sorted(set(generations))
    assert (service.read(bucket, "x"), service.read(bucket, "y")) == (b"x&ifGenerationMatch=0", b"y&at&last")
    assert files(service) == 2


def test_a_file_that_cannot_be_removed_costs_no_object(service: Service) -> None:
    bucket, folder, size = service.bucket(), service.folder / "storage" / "contents", 1 << 20
    service.upload(bucket, "x", b"1" * size)
    (old,) = folder.glob("??/*")
    old.unlink()
    old.mkdir()  # cannot be unlinked

    made = service.upload(bucket, "x", b"2" * size)

    assert made["size"] == str(size)
    assert [path.read_bytes() == b"2" * size for path in folder.glob("??/*") if path.is_file()] == [True]
    service.storage.store.contents.sweep(set())  # as at a start
    assert list(folder.glob("??/*")) == [old]


def test_what_finds_no_room_refuses_no_other(tmp_path: Path) -> None:
    database = open_database(tmp_path / "service" / "a.sqlite", "CREATE TABLE IF NOT EXISTS a (b)")
    database.execute("PRAGMA max_page_count = 10")

    async def all_outcomes() -> list[Object | BaseException]:
        group = GroupCommit(lambda: _begun(database))
        return await asyncio.gather(
            *(group.commit(_insert(database, size)) for size in (1, 1 << 20, 2)), return_exceptions=True
        )

    outcomes = asyncio.run(all_outcomes())

    assert [type(outcome) for outcome in outcomes] == [Object, DiskFull, Object]
    assert [row[0] for row in database.execute("SELECT length(b) FROM a")] == [1, 2]
    database.close()


def test_after_a_group_the_next_one_waits_for_what_has_arrived(groups: Groups) -> None:
    async def sizes() -> list[int]:
        async def later(turns: int) -> Object:
            for _ in range(turns):
                await asyncio.sleep(0)
            return await groups.commit.commit(groups.work)

        await asyncio.gather(later(0), later(1))
        await asyncio.gather(later(0), later(0))
        await asyncio.gather(*map(later, (0, 1, 2, 5)))
        await asyncio.gather(later(0), later(1))
        return groups.sizes

    assert asyncio.run(sizes()) == [1, 1, 2, 3, 1, 1, 1]


def test_the_first_one_cancelled_leaves_no_other_waiting(groups: Groups) -> None:
    async def cancelled() -> list[Object | BaseException]:
        tasks = [asyncio.create_task(groups.commit.commit(groups.work)) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        async with asyncio.timeout(60):
            return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(cancelled())

    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [OBJECT, OBJECT]
    assert groups.sizes == [3]


@contextmanager
def _begun(database: Database) -> Iterator[list[str]]:
    with transaction(database):
        yield []


def _insert(database: Database, size: int) -> Work:
    def work(_garbage: list[str]) -> Object:
        database.execute("INSERT INTO a VALUES (?)", (bytes(size),))
        return OBJECT

    return work
