"""Contents of every size, in the database or in a file: read, copied, composed, replaced and deleted."""

import os

import pytest

from localcloud.storage.data.contents import SMALL_BYTES
from tests.localcloud.storage.world import World

SIZES = [0, 1, SMALL_BYTES - 1, SMALL_BYTES, SMALL_BYTES + 1, 5 * SMALL_BYTES]


@pytest.mark.parametrize("size", SIZES)
def test_contents_of_every_size_are_kept_and_removed(world: World, bucket: str, size: int) -> None:
    before, data = world.contents(), os.urandom(size)
    world.upload(bucket, "x", b"replaced")
    for name in ("x", "y"):
        world.upload(bucket, name, data)
    url = world.object_url(bucket, "x")
    world.http.post(f"{url}/copyTo/b/{bucket}/o/copied")
    world.http.post(world.object_url(bucket, "joined") + "/compose", json={"sourceObjects": [{"name": "x"}, {"name": "y"}]})
    world.http.delete(url)

    assert [read(world, bucket, name) for name in ("y", "copied", "joined")] == [data, data, data * 2]
    assert read(world, bucket, "copied", Range="bytes=-10") == data[-10:] or size == 0
    assert world.contents() == before + 3
    for name in world.names(bucket):
        world.http.delete(world.object_url(bucket, name))
    assert world.contents() == before


@pytest.mark.parametrize("size", [1, SMALL_BYTES + 1])
def test_parts_of_every_size_are_joined(world: World, bucket: str, size: int) -> None:
    before, data, url = world.contents(), os.urandom(size), f"{world.url}/{bucket}/x"
    identity = world.http.post(f"{url}?uploads").text.partition("<UploadId>")[2].partition("<")[0]
    tag = world.http.put(f"{url}?uploadId={identity}&partNumber=1", data=data).headers["ETag"]
    wanted = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"

    assert world.http.post(f"{url}?uploadId={identity}", data=wanted).status_code == 200
    assert read(world, bucket, "x") == data
    assert world.contents() == before + 1


def test_small_contents_make_no_files(world: World, bucket: str) -> None:
    files = list((world.folder / "storage" / "contents").glob("??/*"))
    world.upload(bucket, "x", bytes(SMALL_BYTES))

    assert list((world.folder / "storage" / "contents").glob("??/*")) == files


def read(world: World, bucket: str, name: str, **headers: str) -> bytes:
    return world.http.get(world.object_url(bucket, name, "?alt=media"), headers=headers).content
