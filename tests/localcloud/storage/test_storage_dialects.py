"""Requests of the Node, Go and Java clients, byte for byte, where they differ from Python's."""

import gzip
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from localcloud.storage.data.uploads import BLOCK_BYTES as BLOCK
from tests.eventually import eventually
from tests.localcloud.storage.world import World, exchange, send_part

Start = Callable[..., str]
FIRST = b"a" * BLOCK
DATA = FIRST + b"world"
TOTAL = len(DATA)


def json_session(world: World, bucket: str, **headers: str) -> str:
    """The path of a new session of the JSON API for the object `x`."""
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=x"
    return _path(world.http.post(url, json={}, headers=headers).headers["Location"])


def xml_session(world: World, bucket: str, **headers: str) -> str:
    """The path of a new session of the XML API for the object `x`."""
    reply = world.http.post(f"{world.url}/{bucket}/x", headers={"x-goog-resumable": "start", **headers})
    return _path(reply.headers["Location"])


def _path(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}"


@pytest.fixture(params=[json_session, xml_session])
def start(request: pytest.FixtureRequest) -> Start:
    """A function that starts a session of one of the APIs."""
    chosen: Start = request.param
    return chosen


def stored(world: World, bucket: str) -> bytes:
    return world.http.get(world.object_url(bucket, "x", "?alt=media")).content


# Node: `Content-Range: bytes FIRST-*/TOTAL`. The end of the body is the last byte.


@pytest.mark.parametrize("is_chunked", [True, False])
@pytest.mark.parametrize("total", ["*", str(TOTAL)])
def test_node_leaves_the_last_byte_open(world: World, bucket: str, start: Start, total: str, is_chunked: bool) -> None:
    headers = {"Content-Range": f"bytes 0-*/{total}"}

    done = exchange(world.port, "PUT", start(world, bucket), headers, DATA, is_chunked=is_chunked)

    assert done.status == 200
    assert stored(world, bucket) == DATA


@pytest.mark.parametrize("total", ["*", str(TOTAL)])
def test_node_continues_a_broken_upload(world: World, bucket: str, start: Start, total: str) -> None:
    path = start(world, bucket)
    headers = {"Content-Range": f"bytes 0-*/{total}", "Transfer-Encoding": "chunked"}

    send_part(world.port, "PUT", path, headers, b"%x\r\n%b\r\n5\r\nhel" % (BLOCK, FIRST))
    eventually(lambda: _asked(world, path).get("range") == f"bytes=0-{BLOCK - 1}")
    assert world.names(bucket) == []
    done = exchange(world.port, "PUT", path, {"Content-Range": f"bytes {BLOCK}-*/{total}"}, b"world", is_chunked=True)

    assert done.status == 200
    assert stored(world, bucket) == DATA


def _asked(world: World, path: str) -> dict[str, str]:
    return exchange(world.port, "PUT", path, {"Content-Range": "bytes */*"}).headers


def test_a_known_total_must_arrive(world: World, bucket: str, start: Start) -> None:
    path = start(world, bucket)

    short = exchange(world.port, "PUT", path, {"Content-Range": f"bytes 0-*/{TOTAL}"}, FIRST)
    done = exchange(world.port, "PUT", path, {"Content-Range": f"bytes 3-*/{TOTAL}"}, DATA[3:])

    assert (short.status, short.headers["range"], done.status) == (308, f"bytes=0-{BLOCK - 1}", 200)
    assert stored(world, bucket) == DATA


def test_the_size_announced_at_the_start_must_arrive(world: World, bucket: str, start: Start) -> None:
    path = start(world, bucket, **{"X-Upload-Content-Length": str(TOTAL)})

    short = exchange(world.port, "PUT", path, {"Content-Range": "bytes 0-*/*"}, FIRST)
    done = exchange(world.port, "PUT", path, {"Content-Range": f"bytes {BLOCK}-*/*"}, b"world")

    assert (short.status, short.headers["range"], done.status) == (308, f"bytes=0-{BLOCK - 1}", 200)


@pytest.mark.parametrize("is_chunked", [True, False])
def test_more_bytes_than_the_total_are_refused(world: World, bucket: str, start: Start, is_chunked: bool) -> None:
    path = start(world, bucket)

    more = exchange(world.port, "PUT", path, {"Content-Range": "bytes 0-*/9"}, DATA, is_chunked=is_chunked)

    assert more.status == 400
    assert world.names(bucket) == []


@pytest.mark.parametrize("total", ["*", "0"])
def test_an_empty_body_makes_an_empty_object(world: World, bucket: str, start: Start, total: str) -> None:
    done = exchange(world.port, "PUT", start(world, bucket), {"Content-Range": f"bytes 0-*/{total}"}, is_chunked=True)

    assert done.status == 200
    assert stored(world, bucket) == b""
    assert world.names(bucket) == ["x"]


def test_an_open_range_after_a_gap_is_refused(world: World, bucket: str, start: Start) -> None:
    path = start(world, bucket)

    gap = exchange(world.port, "PUT", path, {"Content-Range": "bytes 5-*/*"}, b"world")

    assert gap.status == 400
    assert exchange(world.port, "PUT", path, {"Content-Range": "bytes 0-*/*"}, DATA).status == 200


def test_an_open_range_may_not_end_before_bytes_that_are_stored(world: World, bucket: str, start: Start) -> None:
    path = start(world, bucket)
    exchange(world.port, "PUT", path, {"Content-Range": f"bytes 0-{BLOCK - 1}/*"}, FIRST)

    assert exchange(world.port, "PUT", path, {"Content-Range": "bytes 0-*/*"}, b"hello").status == 400
    assert world.names(bucket) == []


def test_an_open_range_counts_decompressed_bytes(world: World, bucket: str) -> None:
    headers = {"Content-Range": f"bytes 0-*/{TOTAL}", "Content-Encoding": "gzip"}

    done = exchange(world.port, "PUT", json_session(world, bucket), headers, gzip.compress(DATA))

    assert done.status == 200
    assert stored(world, bucket) == DATA


def test_node_ends_an_empty_upload_in_chunks_before_its_first_byte(world: World, bucket: str, start: Start) -> None:
    done = exchange(world.port, "PUT", start(world, bucket), {"Content-Range": "bytes 0--1/0"})
    refused = [
        exchange(world.port, "PUT", start(world, bucket), {"Content-Range": f"bytes {span}"}).status
        for span in ("1--1/1", "0--2/0", "0--1/-1")
    ]

    assert done.status == 200
    assert stored(world, bucket) == b""
    assert refused == [400] * 3


# Go: `X-GUploader-No-308: yes`. HTTP libraries take 308 for a redirect.


@pytest.mark.parametrize(
    ("span", "body", "range_"),
    [
        (f"0-{BLOCK - 1}/*", FIRST, f"bytes=0-{BLOCK - 1}"),
        (f"0-{BLOCK - 1}/{TOTAL}", FIRST, f"bytes=0-{BLOCK - 1}"),
        (f"0-*/{TOTAL}", FIRST, f"bytes=0-{BLOCK - 1}"),
        (f"*/{TOTAL}", b"", None),
        ("*/*", b"", None),
    ],
)
def test_go_gets_200_instead_of_308(
    world: World, bucket: str, start: Start, span: str, body: bytes, range_: str | None
) -> None:
    path, headers = start(world, bucket), {"Content-Range": f"bytes {span}"}

    go = exchange(world.port, "PUT", path, {**headers, "X-GUploader-No-308": "yes"}, body)
    other = exchange(world.port, "PUT", path, headers, body)

    assert (go.status, go.headers.get("x-http-status-code-override"), go.headers.get("range")) == (200, "308", range_)
    assert (other.status, "x-http-status-code-override" in other.headers, other.headers.get("range")) == (308, False, range_)
    assert (go.body, other.body) == (b"", b"")


@pytest.mark.parametrize("span", [f"*/{TOTAL}", "*/*"])
def test_go_asks_for_the_bytes_that_arrived(world: World, bucket: str, start: Start, span: str) -> None:
    path = start(world, bucket)
    exchange(world.port, "PUT", path, {"Content-Range": f"bytes 0-{BLOCK - 1}/*", "X-GUploader-No-308": "yes"}, FIRST)

    asked = exchange(world.port, "PUT", path, {"Content-Range": f"bytes {span}", "X-GUploader-No-308": "yes"})

    assert (asked.status, asked.headers.get("x-http-status-code-override")) == (200, "308")
    assert asked.headers["range"] == f"bytes=0-{BLOCK - 1}"


def test_go_sees_no_override_when_the_upload_is_complete(world: World, bucket: str, start: Start) -> None:
    path, header = start(world, bucket), {"X-GUploader-No-308": "yes"}

    done = exchange(world.port, "PUT", path, {"Content-Range": f"bytes 0-{TOTAL - 1}/{TOTAL}", **header}, DATA)
    again = exchange(world.port, "PUT", path, {"Content-Range": f"bytes */{TOTAL}", **header})

    assert [(reply.status, "x-http-status-code-override" in reply.headers) for reply in (done, again)] == [(200, False)] * 2
    assert stored(world, bucket) == DATA


def test_go_copies_without_new_metadata(world: World, bucket: str) -> None:
    """The absent resource is a body of `null`, as rclone sends it."""
    world.upload(bucket, "x", DATA, **{"Content-Type": "text/go"})
    headers = {"Content-Type": "application/json"}

    made = [
        exchange(world.port, "POST", f"/b/{bucket}/o/x/{verb}/b/{bucket}/o/{verb}", headers, b"null\n")
        for verb in ("rewriteTo", "copyTo")
    ]

    assert [reply.status for reply in made] == [200, 200]
    assert [json.loads(made[0].body)["resource"]["contentType"], json.loads(made[1].body)["contentType"]] == ["text/go"] * 2


# Java: JSON bodies with `Content-Encoding: gzip`.


def send_json(world: World, method: str, path: str, value: object, **headers: str) -> tuple[int, dict[str, object]]:
    """Send gzipped JSON as google-http-client does: compressed on the fly, so in chunks."""
    given = {"Content-Type": "application/json; charset=UTF-8", "Content-Encoding": "gzip", **headers}
    reply = exchange(world.port, method, path, given, gzip.compress(json.dumps(value).encode()), is_chunked=True)
    return reply.status, json.loads(reply.body or b"{}")


def test_java_gzips_buckets_and_objects(world: World, bucket: str) -> None:
    world.upload(bucket, "x", DATA)

    made = send_json(world, "POST", "/storage/v1/b?project=local-project", {"name": f"{bucket}-java"})
    labelled = send_json(world, "PATCH", f"/storage/v1/b/{bucket}-java", {"labels": {"a": "b"}})
    changed = send_json(world, "PATCH", f"/storage/v1/b/{bucket}/o/x", {"metadata": {"a": "b"}})
    composed = send_json(world, "POST", f"/storage/v1/b/{bucket}/o/y/compose", {"sourceObjects": [{"name": "x"}]})

    assert [status for status, _ in (made, labelled, changed, composed)] == [200] * 4
    assert (labelled[1]["labels"], changed[1]["metadata"]) == ({"a": "b"}, {"a": "b"})


def test_java_gzips_the_start_of_an_upload_but_not_its_bytes(world: World, bucket: str) -> None:
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable"
    given = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    packed = gzip.compress(json.dumps({"name": "x", "contentType": "text/java"}).encode())

    started = exchange(world.port, "POST", path, given, packed)
    done = exchange(
        world.port, "PUT", _path(started.headers["location"]), {"Content-Range": f"bytes 0-{TOTAL - 1}/{TOTAL}"}, DATA
    )

    resource = json.loads(done.body)
    assert (resource["contentType"], resource.get("contentEncoding")) == ("text/java", None)
    assert stored(world, bucket) == DATA


def test_java_gzips_a_batch(world: World, bucket: str) -> None:
    world.upload(bucket, "x", DATA)
    part = f"--b\r\nContent-Type: application/http\r\n\r\nDELETE /storage/v1/b/{bucket}/o/x HTTP/1.1\r\n\r\n\r\n--b--"
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Content-Encoding": "gzip"}

    reply = exchange(world.port, "POST", "/batch/storage/v1", headers, gzip.compress(part.encode()))

    assert b"HTTP/1.1 204" in reply.body
    assert world.names(bucket) == []


@pytest.mark.parametrize(
    "packed", [b'{"labels": {}}', gzip.compress(b"{}", mtime=0)[:-9], gzip.compress(b'{"a": "' + bytes(5 << 20), mtime=0)]
)
def test_malformed_or_too_large_gzip_is_refused(world: World, bucket: str, packed: bytes) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    assert exchange(world.port, "PATCH", f"/storage/v1/b/{bucket}", headers, packed).status == 400
