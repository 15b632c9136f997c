"""Outages of Cloud Storage are never the file's fault: every method raises `Unavailable`."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import RefreshError, TransportError
from google.cloud.storage.retry import DEFAULT_RETRY

from shared.cloud import storage
from shared.cloud.storage import StorageBucket
from shared.errors import Unavailable
from shared.testing import crc32c
from tests.localcloud.target import Target
from tests.ports import free_port

BucketAt = Callable[..., StorageBucket]
#: Of the target's body; nothing has this checksum.
WRONG_HASH = {"x-goog-hash": "crc32c=AAAAAA=="}
CUT_OFF = {"Content-Length": "1000", "Connection": "close"}

CALLS: dict[str, Callable[[StorageBucket, Path], Any]] = {
    "create": lambda bucket, _path: bucket.create("name", "text/plain", b"words"),
    "create from a file": lambda bucket, path: bucket.create("name", "text/plain", path),
    "create from a stream": lambda bucket, _path: bucket.create("name", "text/plain", iter([b"x" * (storage.CHUNK_BYTES + 1)])),
    "read": lambda bucket, _path: bucket.read("name"),
    "read the beginning": lambda bucket, _path: bucket.read("name", 2),
    "head": lambda bucket, _path: bucket.head("name", 7, 2),
    "download": lambda bucket, path: bucket.download("name", 7, 5, path),
    "download in steps": lambda bucket, path: bucket.download("name", 7, storage.WHOLE_BYTES + 1, path),
    "find": lambda bucket, _path: bucket.find("name"),
    "names": lambda bucket, _path: list(bucket.names("")),
    "page": lambda bucket, _path: bucket.page("", "", 10),
    "objects": lambda bucket, _path: bucket.objects("", "", 10),
}
STORED = {"name": "name", "bucket": "results", "generation": "7", "size": "5", "crc32c": "AAAAAA=="}
DOWNLOADS = ("read", "download", "download in steps")
#: The library asks for the rest of these.
CONTINUED = (*DOWNLOADS, "read the beginning", "head")
every_call = pytest.mark.parametrize("call", CALLS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with content."""
    (tmp_path / "file").write_bytes(b"words")
    return tmp_path / "file"


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library retries nothing, so that each error reaches the adapter at once."""
    monkeypatch.setattr(DEFAULT_RETRY, "_predicate", lambda _error: False)


@pytest.mark.failure("T51", "T54")
@every_call
@pytest.mark.parametrize("status", [403, 413, 429, 500, 501, 503])
@pytest.mark.usefixtures("asked_once")
def test_a_refusal_by_the_service_is_retried(target: Target, bucket_at: BucketAt, path: Path, call: str, status: int) -> None:
    target.status = status

    with pytest.raises(Unavailable, match="bucket results"):
        CALLS[call](bucket_at(target.url), path)


@pytest.mark.parametrize("call", ["create", "create from a file", "create from a stream", "names", "page"])
def test_a_missing_bucket_is_retried(target: Target, bucket_at: BucketAt, path: Path, call: str) -> None:
    target.status = 404

    with pytest.raises(Unavailable):
        CALLS[call](bucket_at(target.url), path)


@every_call
@pytest.mark.usefixtures("asked_once")
def test_an_unreachable_service_is_retried(bucket_at: BucketAt, path: Path, call: str) -> None:
    with pytest.raises(Unavailable):
        CALLS[call](bucket_at(f"http://127.0.0.1:{free_port()}"), path)


@every_call
@pytest.mark.usefixtures("asked_once")
def test_a_silent_service_times_out(
    monkeypatch: pytest.MonkeyPatch, target: Target, bucket_at: BucketAt, path: Path, call: str
) -> None:
    monkeypatch.setattr(storage, "TIMEOUT_SECONDS", 0.05)
    target.gate.clear()

    with pytest.raises(Unavailable):
        CALLS[call](bucket_at(target.url), path)


@pytest.mark.parametrize("call", [call for call in CALLS if call not in CONTINUED])
@pytest.mark.usefixtures("asked_once")
def test_a_truncated_answer_is_retried(target: Target, bucket_at: BucketAt, path: Path, call: str) -> None:
    target.replies = [(200, CUT_OFF)]

    with pytest.raises(Unavailable):
        CALLS[call](bucket_at(target.url), path)


@every_call
def test_an_outage_is_reported_after_the_time_that_the_caller_gives(bucket_at: BucketAt, path: Path, call: str) -> None:
    begun = time.monotonic()

    with pytest.raises(Unavailable, match="ConnectionError"):
        CALLS[call](bucket_at(f"http://127.0.0.1:{free_port()}", 0.5), path)
    assert time.monotonic() - begun < 10  # the library's own limit is 120 s


@every_call
@pytest.mark.parametrize("error", [RefreshError("no grant yet"), TransportError("unreachable")], ids=["refused", "unreachable"])
def test_without_a_token_of_our_own_account_calls_are_retried(
    bucket_at: BucketAt, without_token: Callable[[Exception], None], path: Path, call: str, error: Exception
) -> None:
    without_token(error)

    with pytest.raises(Unavailable):
        CALLS[call](bucket_at(""), path)


@pytest.mark.failure("T44")
@pytest.mark.parametrize("call", DOWNLOADS)
def test_corrupt_downloads_are_retried(target: Target, bucket_at: BucketAt, path: Path, call: str) -> None:
    target.body, target.replies = b"words", [(200, WRONG_HASH)]

    with pytest.raises(Unavailable, match="DataCorruption"):
        CALLS[call](bucket_at(target.url), path)


@pytest.mark.parametrize("call", ["create", "create from a file"])
def test_bytes_are_sent_with_their_checksum(target: Target, bucket_at: BucketAt, path: Path, call: str) -> None:
    target.body = json.dumps(STORED).encode()
    CALLS[call](bucket_at(target.url), path)

    assert crc32c(b"words").encode() in target.received[0].body


def test_a_stream_that_was_stored_wrong_is_retried(target: Target, bucket_at: BucketAt, path: Path) -> None:
    begun, first_chunk = {"Location": f"{target.url}/session"}, {"Range": f"bytes=0-{storage.CHUNK_BYTES - 1}"}
    target.body, target.replies = json.dumps(STORED).encode(), [(200, begun), (308, first_chunk)]

    with pytest.raises(Unavailable, match="DataCorruption"):
        CALLS["create from a stream"](bucket_at(target.url), path)
