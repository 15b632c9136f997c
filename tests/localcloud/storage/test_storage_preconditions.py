"""Preconditions: every change is refused when one fails; an unsupported one is refused, not ignored."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Bucket

from tests.localcloud.storage.clients import MEGABYTE
from tests.localcloud.storage.world import World

WRONG = 1
WRITES = [
    ("POST", "/upload/storage/v1/b/{0}/o?uploadType=media&name=x"),
    ("PATCH", "/storage/v1/b/{0}/o/x?"),
    ("PUT", "/storage/v1/b/{0}/o/x?"),
    ("DELETE", "/storage/v1/b/{0}/o/x?"),
    ("POST", "/storage/v1/b/{0}/o/x/compose?"),
    ("POST", "/storage/v1/b/{0}/o/y/copyTo/b/{0}/o/x?"),
    ("POST", "/storage/v1/b/{0}/o/y/rewriteTo/b/{0}/o/x?"),
]


def test_every_change_is_refused_when_its_precondition_fails(home: Bucket) -> None:
    blob, other = home.blob("x"), home.blob("y")
    blob.upload_from_string("1")
    other.upload_from_string("1")
    blob.metadata = {"a": "b"}
    changes: list[Callable[[], Any]] = [
        lambda: blob.upload_from_string("2", if_generation_match=WRONG),
        lambda: blob.upload_from_string("2", if_generation_not_match=blob.generation),
        lambda: blob.upload_from_file(io.BytesIO(bytes(9 * MEGABYTE)), size=9 * MEGABYTE, if_metageneration_match=7),
        lambda: blob.patch(if_metageneration_match=7),
        lambda: blob.patch(if_metageneration_not_match=blob.metageneration),
        lambda: blob.update(if_generation_match=WRONG),
        lambda: blob.delete(if_generation_match=WRONG),
        lambda: blob.delete(if_metageneration_not_match=blob.metageneration),
        lambda: blob.compose([other], if_generation_match=WRONG),
        lambda: blob.compose([other], if_source_generation_match=[WRONG]),
        lambda: blob.rewrite(other, if_generation_match=WRONG),
        lambda: blob.rewrite(other, if_source_generation_match=WRONG),
        lambda: blob.rewrite(other, if_source_metageneration_not_match=other.metageneration),
        lambda: home.copy_blob(other, home, "x", if_generation_match=0),
        lambda: home.copy_blob(other, home, "z", if_source_metageneration_match=7),
        lambda: home.rename_blob(other, "x", if_generation_match=0),
        lambda: home.delete_blobs([blob], if_generation_match=[WRONG]),
        lambda: blob.update_storage_class("NEARLINE", if_metageneration_match=7),
        lambda: home.patch(if_metageneration_match=7),
        lambda: home.update(if_metageneration_match=7),
        lambda: home.delete(if_metageneration_match=7),
    ]
    for change in changes:
        with pytest.raises(PreconditionFailed):
            change()

    blob.reload()
    assert (blob.download_as_bytes(), blob.metageneration) == (b"1", 1)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_each_of_the_four_conditions_holds_for_every_write(world: World, bucket: str, method: str, path: str) -> None:
    made = world.upload(bucket, "x", b"1").json()
    world.upload(bucket, "y", b"2")
    url = world.url + path.format(bucket)
    generation = made["generation"]
    unmet = [
        "ifGenerationMatch=1",
        f"ifGenerationNotMatch={generation}",
        "ifMetagenerationMatch=7",
        "ifMetagenerationNotMatch=1",
    ]
    met = f"ifGenerationMatch={generation}&ifMetagenerationMatch=1&ifGenerationNotMatch=1&ifMetagenerationNotMatch=7"
    body = {"sourceObjects": [{"name": "y"}]}

    assert [world.http.request(method, f"{url}&{condition}", json=body).status_code for condition in unmet] == [412] * 4
    assert world.http.get(world.object_url(bucket, "x")).json() == made
    assert world.http.request(method, f"{url}&{met}", json=body).ok


@pytest.mark.parametrize(("method", "path"), [*WRITES, ("PUT", "/{0}/x"), ("DELETE", "/{0}/x"), ("PATCH", "/storage/v1/b/{0}")])
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "If-Unmodified-Since"])
def test_http_conditions_are_for_reads_only(world: World, bucket: str, method: str, path: str, header: str) -> None:
    made = world.upload(bucket, "x", b"1").json()
    world.upload(bucket, "y", b"2")

    reply = world.http.request(method, world.url + path.format(bucket), data=b"{}", headers={header: "*"})

    assert (reply.status_code, header.lower() in reply.text, "x-goog-if-generation-match" in reply.text) == (400, True, True)
    assert world.http.get(world.object_url(bucket, "x")).json() == made


@pytest.mark.parametrize(
    ("value", "reason", "message"),
    [
        ("-1", "invalidParameter", "Invalid value '-1'. Values must be within the range: [0, 9223372036854775807]"),
        (str(2**63), "invalidParameter", f"Invalid value '{2**63}'. Values must be within the range: [0, 9223372036854775807]"),
        ("x", "invalid", "Invalid value for ifGenerationMatch: 'x' is not a number."),
    ],
)
def test_an_impossible_number_is_refused(world: World, bucket: str, value: str, reason: str, message: str) -> None:
    error = world.upload(bucket, "x", b"1", f"&ifGenerationMatch={value}").json()["error"]

    assert (error["code"], error["message"], error["errors"][0]["reason"]) == (400, message, reason)
    assert error["errors"][0].get("location", "ifGenerationMatch") == "ifGenerationMatch"
    assert world.names(bucket) == []
