"""The properties of a bucket that the pipeline relies on."""

import gzip
import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from google.cloud.storage import Client

from localcloud.address import PROJECT
from shared.cloud import storage
from shared.cloud.protocols import AlreadyExists, Cloud, NoSuchObject
from shared.cloud.storage import StorageBucket
from shared.errors import BadRequest
from shared.testing import crc32c
from tests.localcloud.target import Target
from tests.machine import Machine, variables
from tests.ports import free_port

BIG = bytes(range(256)) * 40_000  # 10 MB: more than one chunk of a resumable upload


@pytest.fixture
def name() -> str:
    """A fresh name."""
    return f"contract/{uuid.uuid4().hex}/ünï e\u0301 🐈 a%2Fb#c?d+e.bin"


@pytest.mark.parametrize("body", [b"", b"words", BIG], ids=["empty", "small", "big"])
def test_a_stored_object_is_described_exactly(cloud: Cloud, name: str, body: bytes) -> None:
    stored = cloud.results.create(name, "text/x-words", body)

    assert (stored.name, stored.size, stored.content_type, stored.crc32c) == (name, len(body), "text/x-words", crc32c(body))
    assert cloud.results.find(name) == stored
    assert cloud.results.read(name) == body
    assert cloud.results.read(name, 3) == body[:3]


@pytest.mark.parametrize("kind", ["bytes", "file", "short stream", "long stream"])
def test_an_object_keeps_its_custom_metadata(cloud: Cloud, name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"words")
    bodies: dict[str, bytes | Path | Iterator[bytes]] = {
        "bytes": b"words",
        "file": tmp_path / "file",
        "short stream": iter([b"words"]),
        "long stream": iter([BIG]),
    }
    stored = cloud.uploads.create(name, "text/plain", bodies[kind], {"order": "4711", "note": "a b=c; d"})
    found = cloud.uploads.find(name)

    assert found == stored
    assert found.metadata == {"order": "4711", "note": "a b=c; d"}


def test_an_output_is_created_with_its_cache_control_in_one_call(real: Cloud, name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"words")
    stored = real.results.create(name, "text/plain", tmp_path / "file", {"order": "4711"}, "public, max-age=31536000")
    answer = requests.get(real.results.permit_download(name, 77), timeout=60)

    assert stored == real.results.find(name)  # no call has changed it since
    assert stored.metadata == {"order": "4711"}
    assert answer.headers["cache-control"] == "public, max-age=31536000"


def test_an_object_without_custom_metadata_has_none(cloud: Cloud, name: str) -> None:
    stored = cloud.uploads.create(name, "text/plain", b"words")

    assert stored.metadata == {}
    assert cloud.uploads.find(name) == stored


def test_a_file_on_disk_is_stored(cloud: Cloud, name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BIG)

    assert cloud.results.create(name, "application/octet-stream", tmp_path / "file").crc32c == crc32c(BIG)


@pytest.mark.parametrize("size", [0, 1, 4 << 20, (4 << 20) + 1, 8 << 20, len(BIG)])
def test_a_stream_of_any_length_is_stored_whole(cloud: Cloud, name: str, size: int) -> None:
    blocks = (BIG[start : min(start + 300_000, size)] for start in range(0, size, 300_000))
    stored = cloud.uploads.create(name, "application/octet-stream", blocks)

    assert (stored.size, stored.crc32c) == (size, crc32c(BIG[:size]))


@pytest.mark.failure("T61")
@pytest.mark.parametrize("sent", [100, 2 << 20, 4 << 20, 5 << 20, 9 << 20])
def test_a_stream_that_breaks_off_never_becomes_an_object(cloud: Cloud, name: str, sent: int) -> None:
    def breaking() -> Iterator[bytes]:
        yield BIG[:sent]
        raise BadRequest("the sender is gone")

    with pytest.raises(BadRequest):
        cloud.uploads.create(name, "application/octet-stream", breaking())

    assert cloud.uploads.find(name) is None


@pytest.mark.parametrize("body", [b"other", BIG], ids=["small", "big"])
def test_an_object_is_never_overwritten(cloud: Cloud, name: str, body: bytes) -> None:
    first = cloud.results.create(name, "text/plain", b"first")
    with pytest.raises(AlreadyExists):
        cloud.results.create(name, "text/plain", body)
    with pytest.raises(AlreadyExists):
        cloud.results.create(name, "text/plain", iter([body]))

    assert cloud.results.find(name) == first


@pytest.mark.failure("T42")
@pytest.mark.parametrize("body", [b"words", BIG], ids=["small", "big"])
def test_exactly_the_generation_asked_for_is_downloaded(cloud: Cloud, name: str, body: bytes, tmp_path: Path) -> None:
    stored = cloud.uploads.create(name, "text/plain", body)
    encoding = cloud.uploads.download(name, stored.generation, stored.size, tmp_path / "file")

    assert (encoding, (tmp_path / "file").read_bytes()) == ("", body)
    with pytest.raises(NoSuchObject):
        cloud.uploads.download(name, stored.generation + 1, stored.size, tmp_path / "other")


@pytest.mark.failure("T43")
def test_changed_metadata_leave_a_generation_readable(real: Cloud, name: str, tmp_path: Path) -> None:
    stored = real.uploads.create(name, "text/plain", b"words")
    blob = Client(project=PROJECT).bucket("uploads").blob(name)
    blob.metadata = {"order": "4711"}
    blob.patch()

    real.uploads.download(name, stored.generation, stored.size, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == b"words"
    found = real.uploads.find(name)
    assert found is not None
    assert (found.generation, found.metadata) == (stored.generation, {"order": "4711"})


@pytest.mark.parametrize("body", [b"", b"w", b"words", BIG], ids=["empty", "one byte", "small", "big"])
def test_the_head_is_that_of_exactly_the_generation_asked_for(cloud: Cloud, name: str, body: bytes) -> None:
    stored = cloud.uploads.create(name, "text/plain", body)

    assert cloud.uploads.head(name, stored.generation, 3) == (body[:3], "")
    with pytest.raises(NoSuchObject):
        cloud.uploads.head(name, stored.generation + 1, 3)


@pytest.mark.parametrize("body", [BIG[: 1 << 20], BIG], ids=["small", "big"])
def test_a_download_that_breaks_off_is_continued(machine: Machine, real: Cloud, name: str, body: bytes, tmp_path: Path) -> None:
    stored = real.uploads.create(name, "text/plain", body)
    machine.fault("cut", "storage", "--match", "GET .*alt=media", "--after-bytes", "500000")
    real.uploads.download(name, stored.generation, stored.size, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == body
    assert machine.fault("list") == "no fault is planted\n"


@pytest.mark.parametrize("stated_size", [0, storage.WHOLE_BYTES + 1], ids=["in one piece", "in steps"])
def test_a_gzip_object_is_never_unpacked(machine: Machine, real: Cloud, name: str, stated_size: int, tmp_path: Path) -> None:
    packed = gzip.compress(BIG)
    with variables(machine.environment), Client(PROJECT) as client:
        blob = client.bucket("uploads").blob(name)
        blob.content_encoding = "gzip"
        blob.upload_from_string(packed, "text/plain")
    encoding = real.uploads.download(name, blob.generation, stated_size, tmp_path / "file")

    assert encoding == "gzip"
    assert (tmp_path / "file").read_bytes() == packed
    assert real.uploads.read(name) == packed
    assert real.uploads.head(name, blob.generation, 30) == (packed[:30], "gzip")


def test_the_time_of_an_object_is_in_utc(cloud: Cloud, name: str) -> None:
    cloud.uploads.create(name, "text/plain", b"x")
    found = cloud.uploads.find(name)

    assert found
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", found.updated)


def test_a_missing_object_is_none(cloud: Cloud, name: str) -> None:
    assert cloud.results.read(name) is None
    assert cloud.results.find(name) is None
    assert list(cloud.results.names(name)) == []


def test_names_are_listed_by_their_beginning(cloud: Cloud, name: str) -> None:
    folder = name.rsplit("/", 1)[0]
    for last in ("b", "a/deep", "a"):
        cloud.results.create(f"{folder}/{last}", "text/plain", b"x")
    cloud.results.create(f"{folder}-beside", "text/plain", b"x")

    assert list(cloud.results.names(f"{folder}/")) == [f"{folder}/a", f"{folder}/a/deep", f"{folder}/b"]


def test_a_page_has_the_first_objects_from_a_name_on_with_their_metadata(cloud: Cloud, name: str) -> None:
    folder = name.rsplit("/", 1)[0]
    for last in ("a", "b", "b-r1", "c", "d"):
        cloud.results.create(f"{folder}/{last}", "text/plain", b"", {"name": last} if last != "c" else {})
    cloud.results.create(f"{folder}-beside", "text/plain", b"x")

    found = cloud.results.page(f"{folder}/", f"{folder}/b", 3)
    rest = cloud.results.page(f"{folder}/", f"{folder}/b.", 1000)

    assert list(found.items()) == [
        (f"{folder}/b", {"name": "b"}),
        (f"{folder}/b-r1", {"name": "b-r1"}),
        (f"{folder}/c", {}),
    ]
    assert list(rest) == [f"{folder}/c", f"{folder}/d"]
    assert cloud.results.page(f"{folder}/", f"{folder}/e", 1000) == {}


def test_names_are_listed_from_a_name_on_and_before_another(cloud: Cloud, name: str) -> None:
    folder = name.rsplit("/", 1)[0]
    for last in ("a", "b", "c", "d"):
        cloud.results.create(f"{folder}/{last}", "text/plain", b"x")

    assert list(cloud.results.names(f"{folder}/", f"{folder}/b", f"{folder}/d")) == [f"{folder}/b", f"{folder}/c"]


def test_objects_are_listed_as_they_are_found(cloud: Cloud, name: str) -> None:
    folder = name.rsplit("/", 1)[0]
    cloud.uploads.create(f"{folder}/a", "text/plain", b"x")
    made = [cloud.uploads.create(f"{folder}/{last}", "text/csv", b"1,2", {"key": "ü"}) for last in ("b", "c", "d")]

    found = cloud.uploads.objects(f"{folder}/", f"{folder}/b", 2)

    assert [(one.name, one.generation, one.size, one.content_type, one.crc32c) for one in found] == [
        (one.name, one.generation, 3, "text/csv", one.crc32c) for one in made[:2]
    ]
    assert found == [cloud.uploads.find(one.name) for one in made[:2]]


@pytest.mark.parametrize("limit", [1, 1000])
def test_a_page_is_one_call(target: Target, bucket_at: Callable[[str], StorageBucket], limit: int) -> None:
    items = [{"name": f"index/{number:04}", "metadata": {"run": "0"}} for number in range(limit)]
    target.body = json.dumps({"items": items, "nextPageToken": "more"}).encode()

    assert len(bucket_at(target.url).page("index/", "index/", limit)) == limit
    assert len(target.received) == 1


def test_no_proxy_of_the_environment_is_used(
    target: Target, bucket_at: Callable[[str], StorageBucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    target.body = b'{"items": [{"name": "a"}]}'

    assert list(bucket_at(target.url).names("")) == ["a"]


def test_old_notes_of_attempts_and_nothing_else_are_deleted_by_their_age(machine: Machine) -> None:
    """As in the cloud, where deploy.sh sets the same rule beside others."""
    buckets = f"{machine.environment['STORAGE_EMULATOR_HOST']}/storage/v1/b"
    uploads, results = (requests.get(f"{buckets}/{name}", timeout=60).json() for name in ("uploads", "results"))

    deletion = {"action": {"type": "Delete"}, "condition": {"age": 30, "matchesPrefix": ["attempts/"]}}
    assert (uploads.get("lifecycle"), results["lifecycle"]) == (None, {"rule": [deletion]})
