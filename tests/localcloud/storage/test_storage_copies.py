"""Copies over the XML API, moves and compositions."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from localcloud.http import Answer
from tests.localcloud.storage.direct import Service, heads, shown, text

SOURCE = "x-goog-copy-source"


def copy(direct: Service, bucket: str, name: str, **headers: Any) -> Answer:
    return direct.call("PUT", f"/{bucket}/{name}", **headers)


def resource(direct: Service, bucket: str, name: str) -> dict[str, Any]:
    return shown(direct.call("GET", f"/storage/v1/b/{bucket}/o/{name}"))


def code(answer: Answer) -> str:
    found = re.search("<Code>(.*)</Code>", text(answer))
    return found[1] if found else ""


@pytest.mark.parametrize("prefix", ["x_goog", "x_amz"])
@pytest.mark.parametrize("form", ["{}/a%20%C3%A9", "/{}/a%20%C3%A9"])
def test_a_put_copies_an_object_with_its_metadata(direct: Service, prefix: str, form: str) -> None:
    bucket, other = direct.bucket(), direct.bucket(storageClass="NEARLINE")
    given: dict[str, Any] = {"content_type": "text/a", "x_goog_meta_k": "v", "x_goog_storage_class": "ARCHIVE"}
    direct.call("PUT", f"/{bucket}/a%20%C3%A9", b"hello", **given)

    answer = copy(direct, other, "b", **{f"{prefix}_copy_source": form.format(bucket)}, content_type="text/ignored")

    made = resource(direct, other, "b")
    assert (answer.status, "<CopyObjectResult" in text(answer)) == (200, True)
    assert heads(answer)["x-goog-generation"] == made["generation"]
    assert (made["contentType"], made["metadata"], made["storageClass"]) == ("text/a", {"k": "v"}, "NEARLINE")
    assert direct.read(other, "b") == direct.read(bucket, "a%20%C3%A9") == b"hello"


def test_a_copy_may_replace_the_metadata(direct: Service) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "a", b"hello")
    itself = {"x_goog_copy_source": f"{bucket}/a"}

    alone = copy(direct, bucket, "a", **itself)
    wrong = copy(direct, bucket, "a", **itself, x_goog_metadata_directive="MOVE")
    changed = copy(direct, bucket, "a", **itself, x_goog_metadata_directive="REPLACE", content_type="text/b", x_goog_meta_k="v")

    assert (alone.status, code(alone), wrong.status, changed.status) == (400, "InvalidRequest", 400, 200)
    made = resource(direct, bucket, "a")
    assert (made["contentType"], made["metadata"]) == ("text/b", {"k": "v"})
    assert direct.read(bucket, "a") == b"hello"


def test_a_copy_takes_an_older_generation(direct: Service) -> None:
    bucket = direct.bucket(versioning={"enabled": True})
    old = direct.upload(bucket, "a", b"old")["generation"]
    direct.upload(bucket, "a", b"new")
    chosen = {"x_goog_copy_source": f"{bucket}/a", "x_goog_copy_source_generation": old}

    assert copy(direct, bucket, "b", **chosen).status == 200
    assert direct.read(bucket, "b") == b"old"


@pytest.mark.parametrize(
    ("condition", "value", "status"),
    [
        ("x-goog-copy-source-if-generation-match", "GENERATION", 200),
        ("x-goog-copy-source-if-generation-match", "1", 412),
        ("x-goog-copy-source-if-metageneration-match", "2", 412),
        ("x-goog-copy-source-if-match", '"5d41402abc4b2a76b9719d911017c592"', 200),
        ("x-goog-copy-source-if-match", '"other"', 412),
        ("x-amz-copy-source-if-none-match", '"5d41402abc4b2a76b9719d911017c592"', 412),
        ("x-goog-copy-source-if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT", 412),
        ("x-goog-copy-source-if-unmodified-since", "Fri, 01 Jan 2010 00:00:00 GMT", 412),
        ("x-goog-if-generation-match", "0", 200),
        ("x-goog-if-generation-match", "1", 412),
        ("x-goog-content-length-range", "0,4", 400),
        ("x-goog-copy-source-range", "bytes=0-1", 400),
        ("x-goog-acl", "public-read", 400),
    ],
)
def test_conditions_of_a_copy_hold(direct: Service, condition: str, value: str, status: int) -> None:
    bucket = direct.bucket()
    value = value.replace("GENERATION", direct.upload(bucket, "a", b"hello")["generation"])

    assert copy(direct, bucket, "b", **{SOURCE: f"{bucket}/a", condition: value}).status == status
    assert (direct.read(bucket, "b") is None) is (status != 200)


@pytest.mark.parametrize(
    ("source", "status", "expected"),
    [
        ("{}/missing", 404, "NoSuchKey"),
        ("no-such-bucket/a", 404, "NoSuchBucket"),
        ("{}", 400, "InvalidArgument"),
        ("", 400, "InvalidArgument"),
        ("{}/%FF", 400, "InvalidURI"),
    ],
)
def test_a_copy_needs_its_source(direct: Service, source: str, status: int, expected: str) -> None:
    bucket = direct.bucket()
    answer = copy(direct, bucket, "b", **{SOURCE: source.format(bucket)})

    assert (answer.status, code(answer)) == (status, expected)
    assert direct.read(bucket, "b") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_only_a_put_copies(direct: Service, method: str) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "a")

    headers: dict[str, Any] = {SOURCE: f"{bucket}/a"}

    assert direct.call(method, f"/{bucket}/a", **headers).status == 400
    assert direct.read(bucket, "a") == b""


def test_a_part_is_not_copied(direct: Service) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "a")
    identity = re.findall("<UploadId>(.*)</UploadId>", text(direct.call("POST", f"/{bucket}/b?uploads")))[0]
    headers: dict[str, Any] = {SOURCE: f"{bucket}/a"}

    assert direct.call("PUT", f"/{bucket}/b?partNumber=1&uploadId={identity}", **headers).status == 400


@pytest.mark.parametrize("size", [1, 100], ids=["a file", "a larger file"])
@pytest.mark.parametrize("is_versioned", [False, True])
def test_a_move_renames_in_one_step(direct: Service, size: int, is_versioned: bool) -> None:
    bucket = direct.bucket(versioning={"enabled": is_versioned})
    direct.call("PUT", f"/{bucket}/a", b"x" * size, x_goog_meta_k="v", x_goog_storage_class="ARCHIVE")
    direct.upload(bucket, "b", b"replaced")

    moved = direct.call("POST", f"/storage/v1/b/{bucket}/o/a/moveTo/o/b")

    made = shown(moved)
    assert (moved.status, made["name"], made["metadata"], made["storageClass"]) == (200, "b", {"k": "v"}, "ARCHIVE")
    assert (direct.read(bucket, "a"), direct.read(bucket, "b")) == (None, b"x" * size)
    versions = shown(direct.call("GET", f"/storage/v1/b/{bucket}/o?versions=true"))["items"]
    assert [item["name"] for item in versions] == (["a", "b", "b"] if is_versioned else ["b"])


@pytest.mark.parametrize(
    ("path", "query", "body", "status"),
    [
        ("a/moveTo/o/a", "", "", 400),
        ("missing/moveTo/o/b", "", "", 404),
        ("a/moveTo/o/b", "ifGenerationMatch=1", "", 412),
        ("a/moveTo/o/b", "ifSourceGenerationMatch=1", "", 412),
        ("a/moveTo/o/b", "ifSourceMetagenerationNotMatch=1", "", 412),
        ("a/moveTo/o/b", "", '{"cacheControl": "no-store"}', 400),
        ("a/moveTo/o/..", "", "", 400),
        ("a/moveTo/o/b", "sourceGeneration=1", "", 400),
    ],
)
def test_a_refused_move_changes_nothing(direct: Service, path: str, query: str, body: str, status: int) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "a", b"hello")

    assert direct.call("POST", f"/storage/v1/b/{bucket}/o/{path}?{query}", body.encode()).status == status
    listed = shown(direct.call("GET", f"/storage/v1/b/{bucket}/o"))["items"]
    assert [item["name"] for item in listed] == ["a"]
    assert direct.read(bucket, "a") == b"hello"


def compose(direct: Service, bucket: str, query: str = "", **fields: Any) -> Answer:
    body = {"sourceObjects": [{"name": "a"}], **fields}
    return direct.call("POST", f"/storage/v1/b/{bucket}/o/b/compose?{query}", json.dumps(body).encode())


def test_a_composition_has_only_the_given_content_type(direct: Service) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "a")

    assert "contentType" not in shown(compose(direct, bucket))
    assert heads(direct.call("GET", f"/{bucket}/b"))["content-type"] == "application/octet-stream"
    assert shown(compose(direct, bucket, destination={"contentType": "text/b"}))["contentType"] == "text/b"


def test_a_composition_does_not_delete_its_sources(direct: Service) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "a")

    assert compose(direct, bucket, "deleteSourceObjects=true").status == 400
    assert compose(direct, bucket, deleteSourceObjects=True).status == 400
    assert direct.read(bucket, "b") is None
    assert compose(direct, bucket, "deleteSourceObjects=false").status == 200


def test_a_refused_composition_leaves_no_bytes(direct: Service) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "a", b"hello")
    before = files(direct)

    assert compose(direct, bucket, "ifGenerationMatch=many").status == 400
    assert compose(direct, bucket, "ifGenerationMatch=1").status == 412
    assert files(direct) == before


def test_a_deleted_bucket_takes_its_unfinished_uploads_along(direct: Service) -> None:
    bucket, before = direct.bucket(), files(direct)
    started = text(direct.call("POST", f"/{bucket}/k?uploads"))
    upload = started.partition("<UploadId>")[2].partition("<")[0]
    session = urlsplit(heads(direct.call("POST", f"/{bucket}/s", x_goog_resumable="start"))["location"])
    assert direct.call("PUT", f"/{bucket}/k?partNumber=1&uploadId={upload}", b"part").status == 200

    assert direct.call("DELETE", f"/{bucket}").status == 204
    assert direct.call("PUT", f"/{bucket}").status == 200
    assert files(direct) == before
    assert upload not in text(direct.call("GET", f"/{bucket}?uploads"))
    assert direct.call("GET", f"/{bucket}/k?uploadId={upload}").status == 404
    assert direct.call("PUT", f"{session.path}?{session.query}", b"abc").status == 410


def files(direct: Service) -> set[str]:
    """The content files."""
    return {str(path) for path in direct.folder.glob("storage/contents/*/*")}
