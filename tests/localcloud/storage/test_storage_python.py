"""google-cloud-storage: everything in its README, and transfer_manager."""

import gzip
import io
import os
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Bucket, Client, transfer_manager
from google.oauth2 import service_account

from tests.localcloud.storage.clients import MEGABYTE, python_client
from tests.localcloud.storage.world import World


def test_the_python_library_uploads_reads_lists_and_deletes(world: World, bucket: str) -> None:
    client = python_client(world)
    small, big = client.bucket(bucket).blob("a/é b?.txt"), client.bucket(bucket).blob("big", chunk_size=5 << 20)
    data = os.urandom(20 << 20)

    small.metadata = {"k": "v"}
    small.upload_from_string("hello", content_type="text/plain", if_generation_match=0, checksum="crc32c")
    big.upload_from_file(io.BytesIO(data), size=len(data), checksum="crc32c")
    with pytest.raises(PreconditionFailed):
        small.upload_from_string("again", if_generation_match=0)

    assert big.download_as_bytes() == data
    assert small.download_as_bytes(start=1, end=3) == b"ell"
    assert small.download_as_bytes(raw_download=True, if_generation_match=small.generation) == b"hello"
    assert [blob.name for blob in client.list_blobs(bucket)] == ["a/é b?.txt", "big"]
    small.delete()
    with pytest.raises(NotFound):
        small.reload()


def test_the_python_library_takes_an_endpoint_that_ends_with_a_slash(world: World, bucket: str) -> None:
    client = Client("local-project", AnonymousCredentials(), client_options={"api_endpoint": f"{world.url}/"})
    blob = client.bucket(bucket).blob("a//b", chunk_size=256 << 10)

    blob.upload_from_file(io.BytesIO(b"x" * 300_000), size=300_000)

    assert [(found.name, found.size) for found in client.list_blobs(bucket)] == [("a//b", 300_000)]
    assert client.get_bucket(bucket).blob("a//b").download_as_bytes() == b"x" * 300_000


def test_the_python_library_copies_composes_and_batches(world: World, bucket: str) -> None:
    client = python_client(world)
    home = client.bucket(bucket)
    one, two = home.blob("one"), home.blob("two")
    one.upload_from_string("1")
    home.copy_blob(one, home, "two")
    home.blob("three").rewrite(one)
    home.blob("all").compose([one, two])
    home.move_blob(home.blob("all"), "moved")
    with client.batch():
        for name in ("one", "two"):
            home.blob(name).delete()

    assert [(blob.name, blob.size) for blob in client.list_blobs(bucket)] == [("moved", 2), ("three", 1)]


def test_the_python_library_manages_buckets_and_notifications(world: World) -> None:
    client = python_client(world)
    made = client.create_bucket("bucket-python", location="europe-west1")
    made.labels = {"a": "b"}
    made.versioning_enabled = True
    made.cors = [{"origin": ["*"], "method": ["GET"]}]
    made.patch()
    made.notification("uploads", topic_project="local-project", event_types=["OBJECT_FINALIZE"]).create()
    policy = made.get_iam_policy()
    policy["roles/storage.objectViewer"] = {"allUsers"}
    made.set_iam_policy(policy)

    again = client.get_bucket("bucket-python")

    assert (again.labels, again.versioning_enabled, again.location) == ({"a": "b"}, True, "EUROPE-WEST1")
    assert [found.topic_name for found in again.list_notifications()] == ["uploads"]
    assert again.get_iam_policy()["roles/storage.objectViewer"] == {"allUsers"}
    assert again.test_iam_permissions(["storage.objects.get"]) == ["storage.objects.get"]
    again.delete(force=True)
    assert client.lookup_bucket("bucket-python") is None


def test_files_are_transferred_side_by_side(home: Bucket, tmp_path: Path) -> None:
    names = [f"{number}.bin" for number in range(8)]
    for name in names:
        (tmp_path / name).write_bytes(os.urandom(1000))
    big = tmp_path / "big"
    big.write_bytes(os.urandom(12 * MEGABYTE + 7))
    threads: dict[str, Any] = {"worker_type": transfer_manager.THREAD, "max_workers": 4}

    up = transfer_manager.upload_many_from_filenames(home, names, str(tmp_path), raise_exception=True, **threads)
    down = transfer_manager.download_many_to_path(home, names, str(tmp_path / "back"), raise_exception=True, **threads)
    transfer_manager.upload_chunks_concurrently(str(big), home.blob("big"), chunk_size=5 * MEGABYTE, **threads)
    transfer_manager.download_chunks_concurrently(
        home.blob("big"), str(tmp_path / "big-back"), chunk_size=5 * MEGABYTE, **threads
    )

    assert (up, down) == ([None] * 8, [None] * 8)
    assert all((tmp_path / "back" / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)
    assert (tmp_path / "big-back").read_bytes() == big.read_bytes()


def test_parts_of_a_compressed_file_become_an_object_with_its_encoding(home: Bucket, tmp_path: Path) -> None:
    data = os.urandom(6 * MEGABYTE)
    (tmp_path / "packed").write_bytes(gzip.compress(data, 1))
    blob = home.blob("packed")
    blob.content_encoding = "gzip"

    transfer_manager.upload_chunks_concurrently(
        str(tmp_path / "packed"), blob, chunk_size=5 * MEGABYTE, worker_type=transfer_manager.THREAD
    )

    found = home.get_blob("packed")
    assert found
    assert found.content_encoding == "gzip"
    assert found.download_as_bytes() == data


def test_generations_are_kept_read_and_restored(world: World, home: Bucket) -> None:
    home.versioning_enabled = True
    home.patch()
    blob = home.blob("x")
    blob.upload_from_string("old")
    old = blob.generation
    blob.upload_from_string("new")

    assert home.blob("x", generation=old).download_as_bytes() == b"old"
    assert [found.generation for found in home.list_blobs(versions=True)] == [old, blob.generation]
    home.copy_blob(blob, home, "x", source_generation=old)
    assert home.blob("x").download_as_bytes() == b"old"
    home.blob("x", generation=old).delete()
    assert len(list(home.list_blobs(versions=True))) == 2


def test_a_stream_is_written_and_read_like_a_file(home: Bucket) -> None:
    data = os.urandom(3 * MEGABYTE)
    with home.blob("stream").open("wb", chunk_size=MEGABYTE) as sink:
        for start in range(0, len(data), 300_000):
            sink.write(data[start : start + 300_000])
    with home.blob("stream").open("rb", chunk_size=MEGABYTE) as source:
        source.seek(100)
        read = source.read()

    assert read == data[100:]


def test_signed_urls_of_every_kind_work(world: World, home: Bucket) -> None:
    key = service_account.Credentials.from_service_account_file(str(world.accounts.key_file("signer")))

    def sign(method: str, **options: Any) -> str:
        return str(
            home.blob("signed").generate_signed_url(
                timedelta(minutes=5), method=method, version="v4", credentials=key, **options
            )
        )

    started = requests.post(sign("RESUMABLE"), headers={"x-goog-resumable": "start"}, timeout=60)
    resumed = requests.put(started.headers["Location"], data=b"resumed", timeout=60)
    after_resumable = requests.get(sign("GET"), timeout=60).content
    put = requests.put(sign("PUT"), data=b"put", timeout=60)
    after_put = requests.get(sign("GET"), timeout=60).content
    deleted = requests.delete(sign("DELETE"), timeout=60)

    assert (started.status_code, resumed.status_code, after_resumable) == (201, 200, b"resumed")
    assert (put.status_code, after_put) == (200, b"put")
    assert (deleted.status_code, home.blob("signed").exists()) == (204, False)


def test_a_form_uploads_only_what_its_policy_allows(world: World, bucket: str) -> None:
    key = service_account.Credentials.from_service_account_file(str(world.accounts.key_file("signer")))
    policy = python_client(world).generate_signed_post_policy_v4(
        bucket,
        "forms/a file.txt",
        timedelta(minutes=5),
        conditions=[["content-length-range", 1, 10], ["starts-with", "$content-type", "text/"], {"x-goog-meta-k": "v"}],
        fields={"success_action_status": "201"},
        credentials=key,
    )

    def post(data: bytes, **fields: str) -> requests.Response:
        given = policy["fields"] | {"content-type": "text/plain", "x-goog-meta-k": "v"} | fields
        return requests.post(policy["url"], data=given, files={"file": ("é.txt", data)}, timeout=60)

    refused = [post(b"hello", **{"content-type": "image/png"}), post(b"hello", more="1"), post(b"hello", key="other")]
    refused += [post(b"hello world"), post(b""), post(b"hello", policy=policy["fields"]["policy"] + "AAAA")]
    made = post(b"hello")

    codes = ["InvalidPolicyDocument"] * 3 + ["EntityTooLarge", "EntityTooSmall", "SignatureDoesNotMatch"]
    assert [f"<Code>{code}</Code>" in reply.text for code, reply in zip(codes, refused, strict=True)] == [True] * 6
    assert (made.status_code, "<Key>forms/a file.txt</Key>" in made.text) == (201, True)
    assert world.names(bucket) == ["forms/a file.txt"]
    shown = world.http.get(world.object_url(bucket, "forms/a file.txt")).json()
    assert (shown["contentType"], shown["metadata"], shown["size"]) == ("text/plain", {"k": "v"}, "5")


@pytest.mark.parametrize(("part_type", "stored"), [("image/png", "image/png"), (None, "application/octet-stream")])
def test_the_content_type_of_the_file_needs_no_condition(world: World, bucket: str, part_type: str | None, stored: str) -> None:
    key = service_account.Credentials.from_service_account_file(str(world.accounts.key_file("signer")))
    policy = python_client(world).generate_signed_post_policy_v4(bucket, "x", timedelta(minutes=5), credentials=key)
    file = ("a.png", b"hello", part_type) if part_type else ("a.png", b"hello")

    def post(**fields: str) -> int:
        return requests.post(policy["url"], data=policy["fields"] | fields, files={"file": file}, timeout=60).status_code

    assert post() == 204
    assert world.http.get(world.object_url(bucket, "x")).json()["contentType"] == stored
    assert post(**{"content-type": "text/html", "x-ignore-a": "b"}) == 204
    assert world.http.get(world.object_url(bucket, "x")).json()["contentType"] == "text/html"


@pytest.mark.parametrize("field", ["x-goog-unknown", "x-goog-encryption-key", "x-amz-meta-a", "acl"])
def test_a_field_without_effect_is_refused(world: World, bucket: str, field: str) -> None:
    key = service_account.Credentials.from_service_account_file(str(world.accounts.key_file("signer")))
    fields = {field: "public-read"}
    policy = python_client(world).generate_signed_post_policy_v4(
        bucket, "x", timedelta(minutes=5), fields=fields, credentials=key
    )
    signed = requests.post(policy["url"], data=policy["fields"], files={"file": b"hello"}, timeout=60)
    open_ = requests.post(policy["url"], data={"key": "x", **fields}, files={"file": b"hello"}, timeout=60)

    assert (signed.status_code, open_.status_code) == (400, 400)
    assert world.names(bucket) == []


def test_curl_posts_a_form_without_a_policy(world: World, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"hello\r\n--not the end")
    command = ["curl", "-sS", "--fail-with-body", "-F", "key=in/${filename}", "-F", f"file=@{tmp_path}/a.txt"]
    subprocess.run([*command, f"{world.url}/{bucket}"], check=True, timeout=60)

    assert world.http.get(f"{world.url}/{bucket}/in/a.txt").content == b"hello\r\n--not the end"
