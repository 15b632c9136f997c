"""The common gcloud storage commands against the whole local cloud."""

import json
from collections.abc import Callable

import pytest

from tests.localcloud.storage.clients import MEGABYTE, Clients, together


@pytest.fixture(autouse=True)
def _installed(program: Callable[[str], str]) -> None:
    program("gcloud")


def test_gcloud_makes_changes_and_removes_a_bucket(clients: Clients) -> None:
    url = "gs://gcloud-bucket"

    clients.gcloud("buckets", "create", url, "--location=eu", "--uniform-bucket-level-access")
    clients.gcloud("buckets", "update", url, "--versioning", "--update-labels=a=b")
    described = json.loads(clients.gcloud("buckets", "describe", url, "--format=json"))
    clients.put("gcloud-bucket", "twice", b"1")
    clients.put("gcloud-bucket", "twice", b"2")
    removed = clients.gcloud("rm", "-r", url)

    assert (described["location"], described["location_type"]) == ("EU", "multi-region")
    assert (described["labels"], described["versioning_enabled"]) == ({"a": "b"}, True)
    assert removed.count(f"{url}/twice#") == 2
    assert clients.shown("b/gcloud-bucket")["error"]["code"] == 404


def test_gcloud_copies_folders_synchronizes_and_lists(clients: Clients) -> None:
    bucket = clients.bucket("gcloud-folders")
    clients.file("branch/a.txt", b"a")
    clients.file("branch/sub/b.txt", b"b")

    together(
        lambda: clients.gcloud("cp", "-r", "branch", f"gs://{bucket}"),
        lambda: clients.gcloud("rsync", "-r", "branch", f"gs://{bucket}/same"),
    )
    clients.gcloud("mv", f"gs://{bucket}/same/a.txt", f"gs://{bucket}/same/c.txt")
    listed = clients.gcloud("ls", "-r", f"gs://{bucket}")
    clients.gcloud("cp", "-r", f"gs://{bucket}/branch", str(clients.file("home/none").parent))

    assert clients.gcloud("cat", f"gs://{bucket}/branch/sub/b.txt") == "b"
    assert (clients.folder / "home/branch/sub/b.txt").read_bytes() == b"b"
    names = ["branch/a.txt", "branch/sub/b.txt", "same/c.txt", "same/sub/b.txt"]
    assert [line for line in listed.split() if line.endswith(".txt")] == [f"gs://{bucket}/{name}" for name in names]


def test_gcloud_continues_after_it_was_killed(clients: Clients) -> None:
    bucket = clients.bucket("gcloud-killed")
    big = clients.file("stopped", b"start", size=140 * MEGABYTE)

    clients.kill_while_uploading("gcloud", "storage", "cp", str(big), f"gs://{bucket}/")
    before = clients.names(bucket)
    said = clients.gcloud("cp", str(big), f"gs://{bucket}/")

    assert before == []
    assert "Resuming" in said
    assert clients.shown(f"b/{bucket}/o/stopped")["size"] == str(140 * MEGABYTE)


def test_gcloud_uploads_large_files_in_parts(clients: Clients) -> None:
    bucket = clients.bucket("gcloud-parts")
    large = clients.file("large", b"start", size=200 * MEGABYTE)

    clients.gcloud("cp", str(large), f"gs://{bucket}/")
    clients.gcloud("cp", f"gs://{bucket}/large", str(clients.folder / "large-back"))

    assert clients.names(bucket) == ["large"]
    assert (clients.folder / "large-back").stat().st_size == 200 * MEGABYTE


def test_gcloud_sets_policies_and_notifications(clients: Clients) -> None:
    bucket = clients.bucket("gcloud-rights")
    url = f"gs://{bucket}"

    def rights() -> None:
        added = ("--member=allUsers", "--role=roles/storage.objectViewer")
        clients.gcloud("buckets", "add-iam-policy-binding", url, *added)
        policy = json.loads(clients.gcloud("buckets", "get-iam-policy", url, "--format=json"))
        assert {"role": "roles/storage.objectViewer", "members": ["allUsers"]} in policy["bindings"]
        assert {binding["role"].partition("legacy")[1] for binding in policy["bindings"]} == {"", "legacy"}
        policy["bindings"] = []
        clients.gcloud("buckets", "set-iam-policy", url, str(clients.file("gcloud-policy.json", json.dumps(policy).encode())))
        assert clients.shown(f"b/{bucket}/iam")["bindings"] == []

    def notifications() -> None:
        made = ("--topic=made-by-gcloud", "--event-types=OBJECT_FINALIZE", "--format=json")
        clients.gcloud("buckets", "notifications", "create", url, *made)
        assert "topics/made-by-gcloud" in clients.gcloud("buckets", "notifications", "list", url)
        clients.gcloud("buckets", "notifications", "delete", url)
        assert "items" not in clients.shown(f"b/{bucket}/notificationConfigs")

    together(rights, notifications)
