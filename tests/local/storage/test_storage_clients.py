"""Google's own clients: the Python library, gsutil and gcloud storage."""

import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tests.local.storage.world import World


def python_client(world: World) -> storage.Client:
    return storage.Client("local-project", AnonymousCredentials(), client_options={"api_endpoint": world.url})


@pytest.fixture
def shell(world: World, tmp_path: Path) -> dict[str, str]:
    """The environment in which gsutil and gcloud find the local service, and only that."""
    boto = f"""
[Credentials]
gs_json_host = 127.0.0.1
gs_json_port = {world.tls_port}
[Boto]
ca_certificates_file = {world.tls.bundle}
[GSUtil]
state_dir = {tmp_path / "gsutil"}
default_project_id = local-project
parallel_process_count = 1
"""
    (tmp_path / "boto").write_text(boto)
    return os.environ | {
        "BOTO_CONFIG": str(tmp_path / "boto"),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": "local-project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": str(world.tls.bundle),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{world.url}/storage/v1/",
    }


def run(shell: dict[str, str], *command: str) -> bytes:
    if not shutil.which(command[0]):
        assert os.environ.get("CI") != "true", f"{command[0]} is missing"
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, env=shell, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


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


def test_the_python_library_copies_composes_and_batches(world: World, bucket: str) -> None:
    client = python_client(world)
    home = client.bucket(bucket)
    one, two = home.blob("one"), home.blob("two")
    one.upload_from_string("1")
    home.copy_blob(one, home, "two")
    home.blob("three").rewrite(one)
    home.blob("all").compose([one, two])
    with client.batch():
        for name in ("one", "two"):
            home.blob(name).delete()

    assert [(blob.name, blob.size) for blob in client.list_blobs(bucket)] == [("all", 2), ("three", 1)]


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


def test_gsutil_copies_lists_reads_and_removes(world: World, bucket: str, shell: dict[str, str], tmp_path: Path) -> None:
    small, big = tmp_path / "small", tmp_path / "big"
    small.write_bytes(os.urandom(20_000))
    big.write_bytes(os.urandom(9 << 20))

    run(shell, "gsutil", "cp", str(small), str(big), f"gs://{bucket}/in/")
    listed = run(shell, "gsutil", "ls", f"gs://{bucket}/in/").decode().split()
    run(shell, "gsutil", "cp", f"gs://{bucket}/in/big", str(tmp_path / "back"))
    shown = run(shell, "gsutil", "cat", f"gs://{bucket}/in/small")
    run(shell, "gsutil", "rm", f"gs://{bucket}/in/*")

    assert listed == [f"gs://{bucket}/in/big", f"gs://{bucket}/in/small"]
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    assert shown == small.read_bytes()
    assert world.names(bucket) == []


def test_gcloud_copies_folders_and_removes_the_bucket(world: World, shell: dict[str, str], tmp_path: Path) -> None:
    tree = tmp_path / "tree" / "sub"
    tree.mkdir(parents=True)
    (tree / "file").write_text("hello")
    run(shell, "gcloud", "storage", "buckets", "create", "gs://bucket-gcloud")

    run(shell, "gcloud", "storage", "cp", "-r", str(tmp_path / "tree"), "gs://bucket-gcloud")
    shown = run(shell, "gcloud", "storage", "cat", "gs://bucket-gcloud/tree/sub/file")
    listed = run(shell, "gcloud", "storage", "ls", "gs://bucket-gcloud/tree/").decode().split()
    run(shell, "gcloud", "storage", "rm", "-r", "gs://bucket-gcloud")

    assert shown == b"hello"
    assert listed == ["gs://bucket-gcloud/tree/sub/"]
    assert world.http.get(f"{world.url}/storage/v1/b/bucket-gcloud").status_code == 404
