"""Uploads in one request: checksums, multipart bodies of each client, gzip in transit, truncated bodies."""

import gzip
import json

import pytest

from tests.eventually import eventually
from tests.localcloud.storage.world import World, send_part


def test_wrong_checksums_store_nothing(world: World, bucket: str) -> None:
    files = world.contents()

    wrong_crc = world.upload(bucket, "x", b"hello", **{"x-goog-hash": "crc32c=AAAAAA=="})
    wrong_md5 = world.upload(bucket, "x", b"hello", **{"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})

    assert (wrong_crc.status_code, wrong_md5.status_code) == (400, 400)
    assert world.names(bucket) == []
    assert world.contents() == files


def test_of_two_checksums_that_differ_one_is_wrong(world: World, bucket: str) -> None:
    wrong, right = "1B2M2Y8AsgTpgAmY7PhCfg==", "XUFAKrxLKna5cZ2REBfFkg=="
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
    kind = {"Content-Type": "multipart/related; boundary===B=="}

    headers = world.upload(bucket, "x", b"hello", **{"x-goog-hash": f"md5={wrong}", "Content-MD5": right})
    resource = _multipart("\r\n", {"name": "x", "md5Hash": wrong}, b"hello")
    both = world.http.post(url, data=resource, headers=kind | {"x-goog-hash": f"md5={right}"})

    assert (headers.status_code, both.status_code) == (400, 400)
    assert world.names(bucket) == []


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", ["'==B=='", '"==B=="', "==B=="])
def test_multipart_bodies_of_every_client_are_read(world: World, bucket: str, newline: str, quoted: str) -> None:
    data = b"\r\n--==\r\n\n--==B\r" + bytes(range(256)) * 300 + b"\r"
    body = _multipart(newline, {"name": "x", "crc32c": ""}, data)
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=multipart"

    reply = world.http.post(url, data=body, headers={"Content-Type": f"multipart/related; boundary={quoted}"})

    assert reply.json()["contentType"] == "text/x-part"
    assert world.http.get(world.object_url(bucket, "x", "?alt=media")).content == data


def test_the_resource_of_a_multipart_upload_may_be_absent(world: World, bucket: str) -> None:
    """Go's client writes `null` for it, and the name into the query."""
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=multipart&name=x"

    reply = world.http.post(
        url, data=_multipart("\r\n", None, b"hello"), headers={"Content-Type": "multipart/related; boundary===B=="}
    )

    assert (reply.status_code, reply.json()["name"], reply.json()["size"]) == (200, "x", "5")


def test_a_truncated_multipart_upload_stores_nothing(world: World, bucket: str) -> None:
    body = _multipart("\r\n", {"name": "x"}, b"hello")[:-7]
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=multipart"

    reply = world.http.post(url, data=body, headers={"Content-Type": "multipart/related; boundary===B=="})

    assert reply.status_code == 400
    assert world.names(bucket) == []


def test_too_large_metadata_is_refused_in_googles_words(world: World, bucket: str) -> None:
    body = _multipart("\r\n", {"name": "x", "metadata": {"custom": "a" * 2_100_000}}, b"hello")
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=multipart"

    reply = world.http.post(url, data=body, headers={"Content-Type": "multipart/related; boundary===B=="})

    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "Metadata part is too large.")


def test_a_client_that_hangs_up_leaves_nothing_behind(world: World, bucket: str) -> None:
    files = world.contents()

    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x"
    send_part(world.port, "POST", path, {"Content-Length": "1000"}, b"only this")
    send_part(world.port, "PUT", f"/{bucket}/x", {"Content-Length": "1000"}, b"only this")
    send_part(world.port, "PUT", f"/{bucket}/x", {"Transfer-Encoding": "chunked"}, b"4\r\nonly\r\n")

    eventually(lambda: world.contents() == files)
    assert world.names(bucket) == []


def test_gzip_in_transit_is_undone_but_a_stored_encoding_is_kept(world: World, bucket: str) -> None:
    packed = gzip.compress(b"hello" * 1000)
    sent = world.upload(bucket, "sent", packed, **{"Content-Encoding": "gzip"}).json()
    world.upload(bucket, "kept", packed, "&contentEncoding=gzip")
    url = world.object_url(bucket, "kept", "?alt=media")

    plain = world.http.get(url, headers={"Accept-Encoding": "identity"})
    raw = world.http.get(url, headers={"Accept-Encoding": "gzip"}, stream=True).raw.read(decode_content=False)

    assert sent["size"] == "5000"
    assert plain.content == b"hello" * 1000
    assert raw == packed


def _multipart(newline: str, metadata: dict[str, object] | None, data: bytes) -> bytes:
    head = [
        "--==B==",
        "Content-Type: application/json",
        "",
        json.dumps(metadata),
        "--==B==",
        "Content-Type: text/x-part",
        "",
        "",
    ]
    return newline.join(head).encode() + data + f"{newline}--==B==--{newline}".encode()
