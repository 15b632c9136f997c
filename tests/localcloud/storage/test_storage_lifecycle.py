"""Lifecycle rules: the pure decision, and the service that applies it while a test turns the clock."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from localcloud.clock import TurnedClock
from localcloud.storage.data.uploads import BLOCK_BYTES as BLOCK
from localcloud.storage.model import Object
from localcloud.storage.rules.lifecycle import Facts, applies, choose_action
from tests.eventually import eventually
from tests.localcloud.storage.world import World
from tests.localcloud.world import started

DAY = 24 * 3600
NOW = 1_800_000_000.0
LIVE = Object("b", "logs/a.txt", 1, 1, NOW - 10 * DAY, NOW, None, "", 0, "", None, None, {"customTime": "2027-01-10T00:00:00Z"})
NONCURRENT = replace(LIVE, deleted=NOW - 2 * DAY)


@pytest.mark.parametrize(
    ("condition", "found", "expected"),
    [
        ({"age": 10}, LIVE, True),
        ({"age": 11}, LIVE, False),
        ({"age": 10, "isLive": False}, LIVE, False),
        ({"isLive": False}, NONCURRENT, True),
        ({"createdBefore": "2027-01-06"}, LIVE, True),
        ({"createdBefore": "2027-01-05"}, LIVE, False),
        ({"matchesPrefix": ["x", "logs/"], "matchesSuffix": [".txt"]}, LIVE, True),
        ({"matchesPrefix": ["x"]}, LIVE, False),
        ({"matchesStorageClass": ["STANDARD"]}, LIVE, True),
        ({"daysSinceNoncurrentTime": 2}, NONCURRENT, True),
        ({"daysSinceNoncurrentTime": 0}, LIVE, False),
        ({"noncurrentTimeBefore": "2027-01-14"}, NONCURRENT, True),
        ({"daysSinceCustomTime": 5}, LIVE, True),
        ({"customTimeBefore": "2027-01-10"}, LIVE, False),
        ({"numNewerVersions": 3}, LIVE, True),
        ({"numNewerVersions": 4}, LIVE, False),
    ],
)
def test_all_conditions_of_a_rule_must_hold(condition: dict[str, Any], found: Object, expected: bool) -> None:
    assert applies(condition, Facts(found, NOW, lambda: 3)) is expected


def to(storage_class: str) -> dict[str, Any]:
    return {"type": "SetStorageClass", "storageClass": storage_class}


@pytest.mark.parametrize(
    ("now", "actions", "expected"),
    [
        ("STANDARD", [to("NEARLINE"), to("ARCHIVE"), to("COLDLINE")], to("ARCHIVE")),
        ("ARCHIVE", [to("NEARLINE"), to("ARCHIVE"), to("STANDARD")], None),
        ("COLDLINE", [to("NEARLINE"), to("archive")], to("archive")),
        ("NEARLINE", [to("STANDARD")], None),
        ("REGIONAL", [to("STANDARD")], None),
        ("DURABLE_REDUCED_AVAILABILITY", [to("STANDARD")], to("STANDARD")),
        ("STANDARD", [to("ARCHIVE"), {"type": "Delete"}], {"type": "Delete"}),
        ("STANDARD", [], None),
    ],
)
def test_deletion_wins_then_the_coldest_class(now: str, actions: list[dict[str, Any]], expected: dict[str, Any] | None) -> None:
    assert choose_action(actions, now) == expected


class Turned:
    """A service with a clock that the test turns."""

    def __init__(self, world: World, clock: TurnedClock) -> None:
        self.world = world
        self._clock = clock

    def days(self, count: float) -> None:
        self.world.run(self._clock.turn(count * DAY))

    def bucket(self, name: str, *rules: dict[str, Any], **fields: Any) -> str:
        return self.world.bucket(name, lifecycle={"rule": list(rules)}, **fields)


@pytest.fixture
def turned(tmp_path: Path) -> Iterator[Turned]:
    clock = TurnedClock()
    with started(World(tmp_path, clock)) as world:
        yield Turned(world, clock)


def delete(**condition: Any) -> dict[str, Any]:
    return {"action": {"type": "Delete"}, "condition": condition}


def test_old_objects_are_deleted_and_announced(turned: Turned) -> None:
    world, bucket = turned.world, turned.bucket("aging", delete(age=30, matchesPrefix=["tmp/"]))
    world.notify(bucket, event_types=["OBJECT_DELETE"])
    for name in ("tmp/old", "kept"):
        world.upload(bucket, name, b"1")
    turned.days(20)
    world.upload(bucket, "tmp/young", b"1")
    before = world.names(bucket)
    turned.days(10.1)

    eventually(lambda: world.names(bucket) == ["kept", "tmp/young"])
    assert before == ["kept", "tmp/old", "tmp/young"]
    assert [attributes["objectId"] for attributes, _ in world.events(bucket, 1)] == ["tmp/old"]


def test_versions_are_archived_before_they_are_deleted(turned: Turned) -> None:
    rules = (delete(age=10, isLive=True), delete(daysSinceNoncurrentTime=5), delete(numNewerVersions=2))
    world, bucket = turned.world, turned.bucket("versions", *rules, versioning={"enabled": True})
    for data in (b"1", b"2", b"3", b"4"):
        world.upload(bucket, "x", data)
    turned.days(1)
    few = len(world.listed(bucket, "?versions=true")["items"])
    turned.days(9.5)
    archived = world.listed(bucket, "?versions=true")["items"]
    turned.days(6)

    assert few == 2
    assert ["timeDeleted" in item for item in archived] == [True]
    assert "items" not in world.listed(bucket, "?versions=true")


def test_storage_classes_change_and_unfinished_uploads_end(turned: Turned) -> None:
    colder = {"action": {"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": {"age": 1}}
    abort = {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 1}}
    world, bucket = turned.world, turned.bucket("colder", colder, abort)
    world.upload(bucket, "x", b"1")
    started = world.http.post(f"{world.url}/{bucket}/y?uploads").text
    identity = started.partition("<UploadId>")[2].partition("<")[0]
    part = world.http.put(f"{world.url}/{bucket}/y?uploadId={identity}&partNumber=1", data=b"part")
    turned.days(1.1)

    shown = world.http.get(world.object_url(bucket, "x")).json()
    assert part.status_code == 200
    assert (shown["storageClass"], shown["metageneration"]) == ("COLDLINE", "2")
    assert world.http.get(f"{world.url}/{bucket}/y?uploadId={identity}").status_code == 404
    assert world.contents() == 1


def test_an_object_changes_its_class_once_and_shows_the_time(turned: Turned) -> None:
    rules = [{"action": to(name), "condition": {"age": 1}} for name in ("NEARLINE", "COLDLINE")]
    world, bucket = turned.world, turned.bucket("classes", *rules)
    world.upload(bucket, "x", b"1")
    turned.days(3)
    url = world.object_url(bucket, "x")
    shown = world.http.patch(url, json={"metadata": {"a": "b"}, "timeStorageClassUpdated": None}).json()
    copied = world.http.post(f"{url}/copyTo/b/{bucket}/o/y").json()

    assert (shown["storageClass"], shown["metageneration"]) == ("COLDLINE", "3")
    assert shown["timeCreated"] < shown["timeStorageClassUpdated"] < shown["updated"]
    assert copied["timeStorageClassUpdated"] == copied["timeCreated"]


def test_a_week_old_resumable_upload_is_forgotten(turned: Turned) -> None:
    world, bucket = turned.world, turned.bucket("forgetful")
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=x"
    location = world.http.post(url).headers["Location"]
    part: requests.Response = world.http.put(
        location, data=bytes(BLOCK), headers={"Content-Range": f"bytes 0-{BLOCK - 1}/{BLOCK + 1}"}, allow_redirects=False
    )
    turned.days(7.1)

    assert part.status_code == 308
    assert (
        world.http.put(location, data=b"2", headers={"Content-Range": f"bytes {BLOCK}-{BLOCK}/{BLOCK + 1}"}).status_code == 410
    )
    assert world.contents() == 0
