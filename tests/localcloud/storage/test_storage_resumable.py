"""Resumable uploads: every way to continue them."""

import pytest
import requests

from localcloud.storage.data.uploads import BLOCK_BYTES as BLOCK
from localcloud.storage.errors import StorageError
from localcloud.storage.rules.ranges import Span, parse_content_range
from tests.eventually import eventually
from tests.localcloud.storage.world import World, send_part


def start(world: World, bucket: str, query: str = "", prefix: str = "/upload", **headers: str) -> str:
    url = f"{world.url}{prefix}/storage/v1/b/{bucket}/o?uploadType=resumable&name=x{query}"
    reply = world.http.post(url, json={"contentType": "text/plain"}, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.headers["Location"]


def put(world: World, location: str, span: str, data: bytes = b"", **headers: str) -> requests.Response:
    return world.http.put(location, data=data, headers={"Content-Range": f"bytes {span}", **headers}, allow_redirects=False)


def test_an_upload_is_continued_where_it_stopped(world: World, bucket: str) -> None:
    location = start(world, bucket, prefix="/resumable/upload")

    nothing = put(world, location, "*/*")
    first = put(world, location, f"0-{BLOCK - 1}/*", b"a" * BLOCK)
    overlapping = put(world, location, f"3-{2 * BLOCK - 1}/*", b"a" * (BLOCK - 3) + b"b" * BLOCK)
    last = put(world, location, f"{2 * BLOCK - 1}-{2 * BLOCK + 1}/{2 * BLOCK + 2}", b"bld")
    again = put(world, location, f"*/{2 * BLOCK + 2}")

    assert (nothing.status_code, "Range" in nothing.headers) == (308, False)
    assert (first.status_code, first.headers["Range"]) == (308, f"bytes=0-{BLOCK - 1}")
    assert overlapping.headers["Range"] == f"bytes=0-{2 * BLOCK - 1}"
    assert (last.status_code, last.json()["size"]) == (200, str(2 * BLOCK + 2))
    assert again.json() == last.json()
    assert world.http.get(last.json()["mediaLink"]).content == b"a" * BLOCK + b"b" * BLOCK + b"ld"


def test_the_bytes_of_a_broken_put_are_kept(world: World, bucket: str) -> None:
    location = start(world, bucket)
    total = BLOCK + 10
    headers = {"Content-Range": f"bytes 0-{total - 1}/{total}", "Content-Length": str(total)}

    send_part(world.port, "PUT", location.removeprefix(world.url), headers, b"a" * BLOCK + b"hello")
    eventually(lambda: put(world, location, f"*/{total}").headers.get("Range") == f"bytes=0-{BLOCK - 1}")

    assert world.names(bucket) == []
    assert put(world, location, f"{BLOCK}-{total - 1}/{total}", b"helloworld").status_code == 200


def test_a_request_before_the_last_one_stores_whole_blocks(world: World, bucket: str) -> None:
    """gcsfs sends what was not stored again (test_write_blocks2 in its tests)."""
    location = start(world, bucket)

    first = put(world, location, f"0-{BLOCK + 4}/*", b"a" * BLOCK + b"hello")
    asked = put(world, location, f"*/{BLOCK + 5}")
    last = put(world, location, f"{BLOCK}-{BLOCK + 9}/{BLOCK + 10}", b"helloworld")

    assert (first.status_code, first.headers["Range"]) == (308, f"bytes=0-{BLOCK - 1}")
    assert (asked.status_code, asked.headers["Range"]) == (308, f"bytes=0-{BLOCK - 1}")
    assert world.http.get(last.json()["mediaLink"]).content == b"a" * BLOCK + b"helloworld"


@pytest.mark.parametrize("total", ["*", "1025"])
def test_a_request_smaller_than_a_block_must_be_the_last_one(world: World, bucket: str, total: str) -> None:
    """The words are those of Google's system tests: python-storage, test_resumable_upload_bad_chunk_size."""
    location = start(world, bucket)

    refused = put(world, location, f"0-1023/{total}", bytes(1024))
    after = put(world, location, f"0-1024/{1025}", bytes(1025))

    assert refused.status_code == 400
    assert refused.text == (
        "Invalid request.  The number of bytes uploaded is required to be equal or greater than 262144, except for the final "
        "request (it's recommended to be the exact multiple of 262144).  The received request contained 1024 bytes, "
        "which does not meet this requirement."
    )
    assert after.status_code == 410
    assert world.names(bucket) == []


def test_a_gap_is_refused(world: World, bucket: str) -> None:
    location = start(world, bucket)

    assert put(world, location, "5-9/10", b"world").status_code == 400
    assert put(world, location, "0-9/10", b"helloworld").status_code == 200


def test_an_empty_upload_is_finished_by_its_total(world: World, bucket: str) -> None:
    assert put(world, start(world, bucket), "*/0").json()["size"] == "0"


def test_a_cancelled_upload_is_gone(world: World, bucket: str) -> None:
    files = world.contents()
    location = start(world, bucket)

    assert world.http.delete(location).status_code == 499
    assert put(world, location, "0-1/2", b"ab").status_code == 410
    assert world.contents() == files


def test_a_wrong_checksum_ends_the_upload(world: World, bucket: str) -> None:
    location = start(world, bucket)

    reply = put(world, location, "0-4/5", b"hello", **{"x-goog-hash": "crc32c=AAAAAA=="})

    assert reply.status_code == 400
    assert world.names(bucket) == []


@pytest.mark.parametrize("last", ["mnG7TA==", "AAAAAA=="])
def test_a_checksum_announced_at_the_start_counts_at_the_end(world: World, bucket: str, last: str) -> None:
    """Python's client sends its own sum with the last bytes, whatever the program announced."""
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=x"
    location = world.http.post(url, json={"crc32c": "AAAAAA=="}).headers["Location"]

    reply = put(world, location, "0-4/5", b"hello", **{"x-goog-hash": f"crc32c={last}"})

    assert (reply.status_code, reply.json()["error"]["message"][:26]) == (400, 'Provided CRC32C "AAAAAA=="')
    assert world.names(bucket) == []


def test_a_condition_is_checked_again_at_the_end(world: World, bucket: str) -> None:
    location = start(world, bucket, "&ifGenerationMatch=0")
    world.upload(bucket, "x", b"meanwhile")

    assert put(world, location, "0-4/5", b"hello").status_code == 412
    assert world.http.get(world.object_url(bucket, "x", "?alt=media")).content == b"meanwhile"


def test_more_bytes_than_announced_are_refused(world: World, bucket: str) -> None:
    location = start(world, bucket, **{"X-Upload-Content-Length": "3"})

    assert world.http.put(location, data=b"hello").status_code == 400
    assert world.names(bucket) == []


def test_all_forms_of_content_range_are_read() -> None:
    assert parse_content_range("bytes */*", None) == Span(None, None)
    assert parse_content_range("bytes */7", None) == Span(None, 7)
    assert parse_content_range("bytes 0-3/*", 4) == Span(0, None)
    assert parse_content_range("bytes 4-7/8", 4) == Span(4, 8)
    assert parse_content_range("bytes 4-*/8", None) == Span(4, 8)
    assert parse_content_range("bytes 4-*/*", 4) == Span(4, None, is_last=True)
    assert parse_content_range(None, 4) == Span(0, 4)
    assert parse_content_range(None, None) == Span(0, None, is_last=True)


@pytest.mark.parametrize("header", ["bytes 5-3/9", "bytes 0-9/9", "bytes 9-*/8", "bytes *-3/9", "bytes 1-/9", "bytes -/-", "x"])
def test_other_content_ranges_are_refused(header: str) -> None:
    with pytest.raises(StorageError) as caught:
        parse_content_range(header, None)

    assert caught.value.code == 400
