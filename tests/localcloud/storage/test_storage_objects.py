"""Objects over the JSON API: write, read, change, copy, compose and delete."""

import base64
import hashlib

import pytest

from tests.localcloud.storage.world import World

HOSTILE_NAMES = ["", ".", "..", "a\nb", "a\rb", "x" * 1025, "é" * 513, ".well-known/acme-challenge/x"]
ODD_NAMES = ["a/b//c", "../../etc/passwd", "%2F", "a b+c&d?e#f", "\x00", "日本/é", "x" * 1024, "\U0010ffff", "o/o/compose"]


def test_an_upload_is_described_completely(world: World, bucket: str) -> None:
    shown = world.upload(bucket, "a/b.txt", b"hello", **{"Content-Type": "text/plain"}).json()

    assert shown["name"] == "a/b.txt"
    assert shown["size"] == "5"
    assert shown["contentType"] == "text/plain"
    assert shown["md5Hash"] == base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    assert shown["crc32c"] == "mnG7TA=="
    assert shown["metageneration"] == "1"
    assert world.http.get(shown["mediaLink"]).content == b"hello"
    assert world.http.get(shown["selfLink"]).json() == shown


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_kept_as_they_are(world: World, bucket: str, name: str) -> None:
    shown = world.upload(bucket, name, b"1").json()

    assert shown["name"] == name
    assert world.http.get(world.object_url(bucket, name, "?alt=media")).content == b"1"
    assert world.http.get(shown["selfLink"]).json() == shown
    assert world.http.get(shown["mediaLink"]).content == b"1"
    assert world.names(bucket) == [name]
    assert world.http.delete(world.object_url(bucket, name)).status_code == 204


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_refused(world: World, bucket: str, name: str) -> None:
    reply = world.upload(bucket, name, b"1")

    assert reply.status_code == 400
    assert reply.json()["error"]["errors"][0]["domain"] == "global"
    assert world.names(bucket) == []


@pytest.mark.parametrize(
    "path",
    [
        "/storage/v1/b/{}/o/%ff",
        "/{}/%ff",
        "/storage/v1/b/{}/o?prefix=%ff",
        "/storage/v1/b/{}/o?maxResults=x",
        "/storage/v1/b/{}/o?pageToken=x",
        "/storage/v1/b/{}/o?matchGlob=[z-a]",
        "/storage/v1/b/{}/o/x?generation=99999999999999999999",
        "/storage/v1/b/{}/o/x/nothing",
        "/storage/v1/b/{}/anywhereCaches",
        "/{}?acl",
    ],
)
def test_a_malformed_request_is_answered_with_400(world: World, bucket: str, path: str) -> None:
    assert world.http.get(world.url + path.format(bucket)).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 100_000, b'{"metadata": {"a": 1}}', b'{"contentType": []}'])
def test_a_malformed_resource_is_answered_with_400(world: World, bucket: str, body: bytes) -> None:
    world.upload(bucket, "x", b"1")

    assert world.http.patch(world.object_url(bucket, "x"), data=body).status_code == 400


def test_unsupported_features_are_named(world: World, bucket: str) -> None:
    world.upload(bucket, "x", b"1")
    url = world.object_url(bucket, "x")
    key = {"x-goog-encryption-algorithm": "AES256"}

    replies = {
        "temporaryHold": world.http.patch(url, json={"temporaryHold": True}),
        "ACLs": world.http.get(f"{url}/acl/allUsers"),
        "x-goog-encryption-": world.upload(bucket, "secret", b"1", **key),
        "restore": world.http.post(f"{url}/restore"),
        "POST b/*/folders": world.http.post(f"{world.url}/storage/v1/b/{bucket}/folders", json={"name": "a/"}),
        "POST b/*/managedFolders": world.http.post(f"{world.url}/storage/v1/b/{bucket}/managedFolders", json={"name": "a/"}),
    }

    assert {what: reply.status_code for what, reply in replies.items()} == dict.fromkeys(replies, 400)
    assert [what for what, reply in replies.items() if what not in reply.json()["error"]["message"]] == []
    assert world.names(bucket) == ["x"]


def test_a_create_only_write_happens_once(world: World, bucket: str) -> None:
    first = world.upload(bucket, "x", b"1", "&ifGenerationMatch=0")
    second = world.upload(bucket, "x", b"2", "&ifGenerationMatch=0")

    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["error"]["errors"][0]["reason"] == "conditionNotMet"
    assert world.http.get(world.object_url(bucket, "x", "?alt=media")).content == b"1"


def test_conditions_hold_on_every_call(world: World, bucket: str) -> None:
    generation = world.upload(bucket, "x", b"1").json()["generation"]
    url = world.object_url(bucket, "x")

    assert world.http.get(f"{url}?ifGenerationMatch=1").status_code == 412
    assert world.http.get(f"{url}?ifGenerationNotMatch={generation}").status_code == 304
    assert world.http.patch(f"{url}?ifMetagenerationMatch=9", json={}).status_code == 412
    assert world.http.delete(f"{url}?ifGenerationMatch=1").status_code == 412
    assert world.http.post(f"{url}/rewriteTo/b/{bucket}/o/y?ifSourceGenerationMatch=1").status_code == 412
    assert world.http.delete(f"{url}?ifGenerationMatch={generation}").status_code == 204


def test_generations_grow_and_an_old_one_is_gone(world: World, bucket: str) -> None:
    first = world.upload(bucket, "x", b"1").json()["generation"]
    second = world.upload(bucket, "x", b"2").json()["generation"]

    assert int(second) > int(first)
    assert world.http.get(world.object_url(bucket, "x", f"?generation={first}")).status_code == 404


def test_a_versioned_bucket_keeps_old_generations(world: World, bucket: str) -> None:
    world.http.patch(f"{world.url}/storage/v1/b/{bucket}", json={"versioning": {"enabled": True}})
    first = world.upload(bucket, "x", b"1").json()["generation"]
    world.upload(bucket, "x", b"2")
    world.http.delete(world.object_url(bucket, "x"))

    assert world.names(bucket) == []
    assert world.http.get(world.object_url(bucket, "x")).status_code == 404
    assert world.names(bucket, "?versions=True") == ["x", "x"]
    assert world.http.get(world.object_url(bucket, "x", f"?alt=media&generation={first}")).content == b"1"
    assert "timeDeleted" in world.http.get(world.object_url(bucket, "x", f"?generation={first}")).json()


@pytest.mark.parametrize(
    ("header", "status", "body"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=5-99", 206, b"56789"),
        ("bytes=10-", 416, None),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_ranges_are_served(world: World, bucket: str, header: str, status: int, body: bytes | None) -> None:
    world.upload(bucket, "x", b"0123456789")

    reply = world.http.get(f"{world.url}/download/storage/v1/b/{bucket}/o/x", headers={"Range": header})

    assert reply.status_code == status
    assert body is None or reply.content == body


@pytest.mark.parametrize("path", ["/storage/v1/b/{}/o/x?alt=media", "/download/storage/v1/b/{}/o/x?alt=media"])
def test_a_refused_download_is_answered_in_plain_text(world: World, bucket: str, path: str) -> None:
    """Google's system tests expect it (python-storage, tests/resumable_media/system/requests/test_download.py)."""
    url = world.url + path.format(bucket)

    missing = world.http.get(url)
    world.upload(bucket, "x", b"0123456789")
    beyond = world.http.get(url, headers={"Range": "bytes=10-"})
    unmet = world.http.get(f"{url}&ifGenerationMatch=1")
    shown = world.http.get(f"{world.url}/storage/v1/b/{bucket}/o/y").json()

    assert (missing.status_code, missing.text) == (404, f"No such object: {bucket}/x")
    assert (beyond.status_code, beyond.text) == (416, "Request range not satisfiable")
    assert (unmet.status_code, unmet.text) == (412, "At least one of the pre-conditions you specified did not hold.")
    assert {reply.headers["Content-Type"] for reply in (missing, beyond, unmet)} == {"text/plain; charset=UTF-8"}
    assert shown["error"]["message"] == f"No such object: {bucket}/y"


def test_metadata_is_merged_by_patch_and_replaced_by_put(world: World, bucket: str) -> None:
    url = world.object_url(bucket, "x")
    world.upload(bucket, "x", b"1")

    patched = world.http.patch(url, json={"metadata": {"a": "1", "b": "2"}, "cacheControl": "no-store"}).json()
    again = world.http.patch(url, json={"metadata": {"a": None, "c": "3"}, "cacheControl": None}).json()
    put = world.http.put(url, json={"contentType": "text/html"}).json()

    assert patched["metadata"] == {"a": "1", "b": "2"}
    assert again["metadata"] == {"b": "2", "c": "3"}
    assert "cacheControl" not in again
    assert (put["contentType"], put["metageneration"]) == ("text/html", "4")
    assert "metadata" not in put


def test_composing_ignores_checksums_of_the_first_component(world: World, bucket: str) -> None:
    for name in ("a", "b"):
        world.upload(bucket, name, name.encode() * 3)
    body = {"sourceObjects": [{"name": "a"}, {"name": "b"}], "destination": {"crc32c": "AAAAAA==", "contentType": "x/y"}}

    reply = world.http.post(world.object_url(bucket, "c") + "/compose", json=body).json()

    assert (reply["size"], reply["componentCount"], reply["contentType"]) == ("6", 2, "x/y")
    assert "md5Hash" not in reply
    assert world.http.get(reply["mediaLink"]).content == b"aaabbb"


def test_a_copy_outlives_its_source(world: World, bucket: str) -> None:
    world.upload(bucket, "a", b"1", **{"Content-Type": "text/plain"})

    copied = world.http.post(world.object_url(bucket, "a") + f"/copyTo/b/{bucket}/o/b").json()
    world.http.delete(world.object_url(bucket, "a"))

    assert copied["contentType"] == "text/plain"
    assert world.http.get(world.object_url(bucket, "b", "?alt=media")).content == b"1"


def test_a_header_cannot_be_smuggled_through_metadata(world: World, bucket: str) -> None:
    world.upload(bucket, "x", b"1")
    world.http.patch(world.object_url(bucket, "x"), json={"contentType": "a/b\r\nX-Evil: 1", "metadata": {"a\r\nb": "1"}})

    reply = world.http.get(f"{world.url}/{bucket}/x")

    assert reply.status_code == 200
    assert "x-evil" not in reply.headers
