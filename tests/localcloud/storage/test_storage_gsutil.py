"""The common gsutil commands against the whole local cloud."""

import gzip
import json
import re
from collections.abc import Callable

import pytest

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from tests.localcloud.storage.clients import MEGABYTE, Clients, together

CORS = [{"origin": ["https://a.test"], "method": ["GET"], "maxAgeSeconds": 60}]
LIFECYCLE = {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]}


@pytest.fixture(autouse=True)
def _installed(program: Callable[[str], str]) -> None:
    program("gsutil")


def test_gsutil_makes_a_bucket_and_copies_up_and_down(clients: Clients) -> None:
    small, big = clients.file("up/small", b"hello"), clients.file("up/big", bytes(range(256)) * 4096 * 100)

    clients.gsutil("mb", "-l", "europe-west1", "gs://gsutil-copies")
    clients.gsutil("cp", str(small), str(big), "gs://gsutil-copies/in/")
    listed = clients.gsutil("ls", "-l", "gs://gsutil-copies/in/")
    buckets = clients.gsutil("ls")
    clients.gsutil("cp", "gs://gsutil-copies/in/*", str(clients.file("down/none").parent))

    assert "gs://gsutil-copies/\n" in buckets
    assert clients.shown("b/gsutil-copies")["location"] == "EUROPE-WEST1"
    assert re.search(r"104857600 .*gs://gsutil-copies/in/big\n +5 .*gs://gsutil-copies/in/small\nTOTAL: 2", listed)
    assert (clients.folder / "down/big").read_bytes() == big.read_bytes()
    assert (clients.folder / "down/small").read_bytes() == b"hello"


def test_gsutil_copies_folders_synchronizes_and_composes(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-folders")
    clients.file("tree/a.txt", b"a")
    clients.file("tree/sub/b.txt", b"b")
    parts = clients.file("parts", bytes(range(256)) * 4096 * 30)
    composite = ("-o", "GSUtil:parallel_composite_upload_threshold=10M")

    together(
        lambda: clients.gsutil("-m", "cp", "-r", "tree", f"gs://{bucket}/copy"),
        lambda: clients.gsutil("-m", "rsync", "-r", "tree", f"gs://{bucket}/same"),
        lambda: clients.gsutil(*composite, "cp", str(parts), f"gs://{bucket}/whole"),
    )

    assert clients.names(bucket) == ["copy/a.txt", "copy/sub/b.txt", "same/a.txt", "same/sub/b.txt", "whole"]
    assert clients.shown(f"b/{bucket}/o/whole")["componentCount"] > 1
    assert clients.http.get(f"{clients.url}/{bucket}/whole").content == parts.read_bytes()
    home = clients.file("from-cloud/none").parent
    clients.gsutil("-m", "cp", "-r", f"gs://{bucket}/copy", str(home))
    assert [(home / "copy" / name).read_bytes() for name in ("a.txt", "sub/b.txt")] == [b"a", b"b"]


@pytest.mark.long
def test_gsutil_continues_after_it_was_killed(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-killed")
    big = clients.file("killed", b"start", size=200 * MEGABYTE)

    clients.kill_while_uploading("gsutil", "cp", str(big), f"gs://{bucket}/")
    before = clients.names(bucket)
    said = clients.gsutil("cp", str(big), f"gs://{bucket}/")

    assert before == []
    assert "Resuming upload" in said
    assert clients.shown(f"b/{bucket}/o/killed")["size"] == str(200 * MEGABYTE)


def test_gsutil_shows_moves_describes_and_removes(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-objects")
    for name in ("cat", "moved", "gone", "described"):
        clients.put(bucket, name, b"hello")

    def show() -> None:
        assert clients.gsutil("cat", "-r", "1-3", f"gs://{bucket}/cat") == "ell"
        clients.gsutil("mv", f"gs://{bucket}/moved", f"gs://{bucket}/there")

    def describe() -> None:
        clients.gsutil("setmeta", "-h", "Content-Type:text/x-a", "-h", "x-goog-meta-k:v", f"gs://{bucket}/described")
        said = clients.gsutil("stat", f"gs://{bucket}/described")
        assert re.search(r"Content-Length: +5\n", said)
        assert re.search(r"k: +v\n", said)
        assert re.search(r"Content-Type: +text/x-a\n", said)

    together(show, describe, lambda: clients.gsutil("rm", f"gs://{bucket}/gone"))
    assert clients.names(bucket) == ["cat", "described", "there"]
    clients.gsutil("-m", "rm", "-r", f"gs://{bucket}")
    assert clients.shown(f"b/{bucket}")["error"]["code"] == 404


def test_gsutil_compresses_objects_or_transfers(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-gzip")
    text = b"words " * 1000
    file = str(clients.file("words.txt", text))

    together(
        lambda: clients.gsutil("cp", "-Z", file, f"gs://{bucket}/kept"),
        lambda: clients.gsutil("cp", "-J", file, f"gs://{bucket}/on-the-way"),
    )
    clients.gsutil("cp", f"gs://{bucket}/kept", str(clients.folder / "back"))

    kept, plain = clients.shown(f"b/{bucket}/o/kept"), clients.shown(f"b/{bucket}/o/on-the-way")
    assert (kept["contentEncoding"], plain.get("contentEncoding"), plain["size"]) == ("gzip", None, "6000")
    raw = clients.http.get(kept["mediaLink"], stream=True).raw.read(decode_content=False)
    assert gzip.decompress(raw) == text
    assert clients.http.get(plain["mediaLink"]).content == text
    assert (clients.folder / "back").read_bytes() == text


def test_gsutil_rewrites_to_another_class(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-classes")
    for name in ("with", "without"):
        clients.put(bucket, name, b"hello")

    def refused() -> None:
        # gsutil itself refuses this for a bucket with uniform bucket-level access
        assert "include the -O option" in clients.refused("gsutil", "rewrite", "-s", "nearline", f"gs://{bucket}/without")

    together(lambda: clients.gsutil("rewrite", "-O", "-s", "nearline", f"gs://{bucket}/with"), refused)
    rewritten = clients.shown(f"b/{bucket}/o/with")
    assert (rewritten["storageClass"], rewritten["size"], rewritten["contentType"]) == ("NEARLINE", "5", "text/plain")
    assert clients.shown(f"b/{bucket}/o/without")["storageClass"] == "STANDARD"


def test_gsutil_reports_that_acls_are_unsupported(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-acls")
    clients.put(bucket, "x", b"hello")

    def refused(reason: str, *command: str) -> None:
        assert reason in clients.refused("gsutil", *command)

    together(
        lambda: refused("Failed to set acl", "acl", "ch", "-u", "AllUsers:R", f"gs://{bucket}/x"),
        lambda: refused("does not support ACLs: ", "acl", "get", f"gs://{bucket}/x"),
        lambda: refused("does not support ACLs: ", "defacl", "ch", "-u", "AllUsers:R", f"gs://{bucket}"),
    )


def test_gsutil_keeps_file_attributes_but_no_acls(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-attributes")
    clients.file("posix/a", b"a")

    clients.gsutil("rsync", "-P", "-r", "posix", f"gs://{bucket}/one")
    together(
        lambda: clients.gsutil("rsync", "-P", "-r", f"gs://{bucket}/one", f"gs://{bucket}/two"),
        lambda: clients.gsutil("cp", "-P", f"gs://{bucket}/one/a", str(clients.folder / "posix-back")),
    )

    assert clients.shown(f"b/{bucket}/o/two%2Fa")["metadata"].keys() >= {"goog-reserved-posix-mode"}
    assert (clients.folder / "posix-back").stat().st_mode == (clients.folder / "posix/a").stat().st_mode
    # As for any bucket with uniform access.
    assert "No OWNER permission" in clients.refused("gsutil", "cp", "-p", f"gs://{bucket}/one/a", f"gs://{bucket}/b")


def test_gsutil_configures_buckets(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-settings")
    cors = str(clients.file("cors.json", json.dumps(CORS).encode()))
    lifecycle = str(clients.file("lifecycle.json", json.dumps(LIFECYCLE).encode()))
    url = f"gs://{bucket}"

    def rules() -> None:
        clients.gsutil("cors", "set", cors, url)
        assert json.loads(clients.gsutil("cors", "get", url)) == CORS
        clients.gsutil("versioning", "set", "on", url)

    def ages() -> None:
        clients.gsutil("lifecycle", "set", lifecycle, url)
        assert json.loads(clients.gsutil("lifecycle", "get", url)) == LIFECYCLE
        clients.gsutil("label", "ch", "-l", "a:b", url)

    together(rules, ages)
    shown = clients.shown(f"b/{bucket}")
    assert (shown["labels"], shown["versioning"]) == ({"a": "b"}, {"enabled": True})


def test_gsutil_sets_policies_and_notifications(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-rights")
    url = f"gs://{bucket}"

    def rights() -> None:
        clients.gsutil("iam", "ch", "allUsers:objectViewer", url)
        policy = json.loads(clients.gsutil("iam", "get", url))
        assert {"role": "roles/storage.objectViewer", "members": ["allUsers"]} in policy["bindings"]
        assert {binding["role"].partition("legacy")[1] for binding in policy["bindings"]} == {"", "legacy"}
        policy["bindings"] = []
        clients.gsutil("iam", "set", str(clients.file("policy.json", json.dumps(policy).encode())), url)
        assert clients.shown(f"b/{bucket}/iam")["bindings"] == []

    def notifications() -> None:
        said = clients.gsutil("notification", "create", "-t", "made-by-gsutil", "-f", "json", "-p", "in/", "-m", "k:v", url)
        assert "Created Cloud Pub/Sub topic" in said
        listed = clients.gsutil("notification", "list", url)
        assert "topics/made-by-gsutil" in listed
        assert "k: v" in listed
        clients.gsutil("notification", "delete", url)
        assert "items" not in clients.shown(f"b/{bucket}/notificationConfigs")

    together(rights, notifications)


def test_gsutil_signs_urls_that_curl_can_use(clients: Clients) -> None:
    bucket = clients.bucket("gsutil-signs")
    accounts = Accounts(clients.machine.data / "keys", "local-project", "http://127.0.0.1", SystemClock())
    key = str(accounts.key_file("signer"))

    def sign(*arguments: str) -> str:
        return clients.gsutil("signurl", "-d", "10m", "-r", "us", *arguments).split()[-1]

    put = sign("-m", "PUT", "-c", "text/plain", key, f"gs://{bucket}/signed")
    curl = ("curl", "-sS", "--fail-with-body", "--cacert", str(clients.machine.data / "tls" / "bundle.pem"))
    clients.run(*curl, "-X", "PUT", "-H", "Content-Type: text/plain", "-d", "hello", put)

    assert clients.run(*curl, sign(key, f"gs://{bucket}/signed")) == "hello"
