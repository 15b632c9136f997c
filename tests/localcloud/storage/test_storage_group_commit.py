"""Uploads that arrive in one turn of the event loop share a commit; each is stored or refused by itself."""

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


@contextmanager
def _begun(database: Database) -> Iterator[list[str]]:
    with transaction(database):
        yield []


def _insert(database: Database, size: int) -> Work:
    def work(_garbage: list[str]) -> Object:
        database.execute("INSERT INTO a VALUES (?)", (bytes(size),))
        return OBJECT

    return work
