"""Concurrency, caches, CORS, encodings, multipart uploads, and the end of the service."""

import gzip
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from localcloud.storage import operations
from tests.eventually import eventually
from tests.localcloud.storage.direct import Service, run
from tests.localcloud.storage.test_storage_restart import ROOT
from tests.localcloud.storage.world import World
from tests.ports import free_port


def test_of_many_create_only_writes_at_once_one_wins(world: World, bucket: str) -> None:
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x&ifGenerationMatch=0"
    with ThreadPoolExecutor(8) as pool:
        json_api = [pool.submit(requests.post, url, data=b"1", timeout=60) for _ in range(8)]
        headers = {"x-goog-if-generation-match": "0"}
        xml_api = [
            pool.submit(requests.put, f"{world.url}/{bucket}/x", data=b"1", headers=headers, timeout=60) for _ in range(8)
        ]
        statuses = sorted(done.result().status_code for done in json_api + xml_api)

    assert statuses == [200] + [412] * 15


def test_of_many_changes_to_one_state_one_wins(world: World, bucket: str) -> None:
    world.upload(bucket, "x", b"1")
    url = world.object_url(bucket, "x", "?ifMetagenerationMatch=1")
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(requests.patch, url, json={"metadata": {"n": str(n)}}, timeout=60) for n in range(8)]
        statuses = sorted(done.result().status_code for done in sent)

    assert statuses == [200] + [412] * 7


def test_the_xml_api_checks_conditions_as_the_json_api_does(world: World, bucket: str) -> None:
    made = world.upload(bucket, "x", b"1").json()
    url, generation = f"{world.url}/{bucket}/x", made["generation"]

    def status(method: str, **conditions: str) -> int:
        headers = {f"x-goog-if-{key.replace('_', '-')}": value for key, value in conditions.items()}
        return world.http.request(method, url, headers=headers).status_code

    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert status(method, generation_match="1") == 412
        assert status(method, metageneration_match="7") == 412
    assert status("GET", generation_match=generation, metageneration_match="1") == 200
    assert status("DELETE", generation_match=generation) == 204


@pytest.mark.parametrize("api", ["/storage/v1/b/{}/o/x?alt=media", "/storage/v1/b/{}/o/x", "/{}/x"])
def test_a_cache_asks_whether_something_changed(world: World, bucket: str, api: str) -> None:
    world.upload(bucket, "x", b"1")
    url = world.url + api.format(bucket)
    first = world.http.get(url)

    def status(**headers: str) -> int:
        return world.http.get(url, headers={key.replace("_", "-"): value for key, value in headers.items()}).status_code

    assert status(If_None_Match=first.headers["ETag"]) == 304
    assert status(If_None_Match='"other"') == 200
    assert status(If_Match='"other"') == 412
    assert status(If_Match=first.headers["ETag"]) == 200
    assert status(If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT") == 304
    assert status(If_Unmodified_Since="Fri, 01 Jan 2010 00:00:00 GMT") == 412
    assert status(If_Modified_Since="nonsense") == 200


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (gzip.compress(b"words" * 100, mtime=0), b"words" * 100),
        (gzip.compress(b"one", mtime=0) + gzip.compress(b"two", mtime=0), b"onetwo"),
        (b"never compressed", b"never compressed"),
    ],
    ids=["compressed", "two-members", "plain"],  # compressed bytes contain the time of their making
)
def test_gzip_is_decompressed_unless_the_client_accepts_it(world: World, bucket: str, stored: bytes, expected: bytes) -> None:
    world.upload(bucket, "x", stored, "&contentEncoding=gzip")

    assert raw(world, bucket, "identity") == expected
    assert raw(world, bucket, "gzip") == stored
    name = "X-GUploader-Response-Body-Transformations"
    for url in (world.object_url(bucket, "x", "?alt=media"), f"{world.url}/{bucket}/x"):
        with world.http.get(url, headers={"Accept-Encoding": "identity"}, stream=True) as reply:
            assert reply.headers.get(name) == ("gunzipped" if stored != expected else None)


def test_broken_gzip_is_served_unchanged(world: World, bucket: str) -> None:
    broken = gzip.compress(bytes(range(256)) * 2000)[:-100]
    world.upload(bucket, "x", broken, "&contentEncoding=gzip")

    assert raw(world, bucket, "identity") == broken


def test_a_download_survives_the_deletion_of_its_object() -> None:
    service = Service()
    plain = random.Random(1).randbytes(1 << 20)
    bucket = service.bucket()
    service.call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x&contentEncoding=gzip", gzip.compress(plain))
    answering = service.storage.answer(service.request("GET", f"/{bucket}/x"))
    answering.send(None)
    service.call("DELETE", f"/storage/v1/b/{bucket}/o/x")
    answer = run(answering)
    served = run(whole(answer.body))
    service.close()

    assert (answer.status, served) == (200, plain)


async def whole(body: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in body])


def raw(world: World, bucket: str, accepted: str) -> bytes:
    url = world.object_url(bucket, "x", "?alt=media")
    with world.http.get(url, headers={"Accept-Encoding": accepted}, stream=True) as reply:
        assert reply.status_code == 200
        return bytes(reply.raw.read(decode_content=False))


def test_the_xml_api_lists_in_pages(world: World, bucket: str) -> None:
    for name in ("a", "b/1", "b/2", "c", "d"):
        world.upload(bucket, name)

    def walk(first: str, token: str, parameter: str) -> Iterator[str]:
        query = first
        while True:
            page = world.http.get(f"{world.url}/{bucket}?max-keys=2&delimiter=/{query}").text
            yield from re.findall("<(?:Key|CommonPrefixes><Prefix)>([^<]+)", page)
            found = re.search(f"<{token}>(.*)</{token}>", page)
            if not found:
                return
            query = f"{first}&{parameter}={found[1]}"

    assert sorted(walk("&list-type=2", "NextContinuationToken", "continuation-token")) == ["a", "b/", "c", "d"]
    assert sorted(walk("", "NextMarker", "marker")) == ["a", "b/", "c", "d"]


def test_parts_may_come_in_any_order_and_again(world: World, bucket: str) -> None:
    url = f"{world.url}/{bucket}/x"
    identity = re.findall("<UploadId>(.*)</UploadId>", world.http.post(f"{url}?uploads").text)[0]
    first, last = bytes(5 << 20), b"end"

    def put(number: int, data: bytes) -> requests.Response:
        return world.http.put(f"{url}?partNumber={number}&uploadId={identity}", data=data)

    def complete(*parts: tuple[int, str]) -> requests.Response:
        listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number, tag in parts)
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        return world.http.post(f"{url}?uploadId={identity}", data=document)

    two = put(2, last).headers["ETag"]
    put(1, b"wrong")
    one = put(1, first).headers["ETag"]
    refused = [complete((2, two), (1, one)), complete((1, two)), complete((3, "")), complete()]
    small = complete((2, two), (2, two))
    corrupt = world.http.put(f"{url}?partNumber=3&uploadId={identity}", data=b"a", headers={"Content-MD5": "AAAA"})
    listed = world.http.get(f"{url}?uploadId={identity}").text
    uploads = world.http.get(f"{world.url}/{bucket}?uploads").text
    done, again = complete((1, one), (2, two)), complete((1, one), (2, two))

    assert [reply.status_code for reply in (*refused, small, corrupt)] == [400] * 6
    assert re.findall("<Size>(.*?)</Size>", listed) == [str(5 << 20), "3"]
    assert identity in uploads
    assert (done.status_code, again.text) == (200, done.text)
    assert world.http.get(url).content == first + last
    assert put(3, b"late").status_code == 404


def test_a_failed_notification_is_retried(world: World, bucket: str) -> None:
    world.notify(bucket)
    world.broken = True
    world.upload(bucket, "x", b"1")
    eventually(lambda: not world.broken)

    assert [attributes["objectId"] for attributes, _ in world.events(bucket, 1)] == ["x"]


def test_a_stop_during_transfers_prints_nothing(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "tests.localcloud.storage.serve", str(tmp_path), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: answers(port))
        base = f"http://127.0.0.1:{port}"
        requests.post(f"{base}/storage/v1/b", json={"name": "bucket"}, timeout=60)
        requests.put(f"{base}/bucket/big", data=bytes(20 << 20), timeout=60)
        with socket.create_connection(("127.0.0.1", port)) as reader, socket.create_connection(("127.0.0.1", port)) as writer:
            reader.sendall(b"GET /bucket/big HTTP/1.1\r\nHost: localhost\r\n\r\n")
            writer.sendall(b"PUT /bucket/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nhalf")
            reader.recv(100)
            process.send_signal(signal.SIGINT)
            _, printed = process.communicate(timeout=60)

    assert (process.returncode, printed) == (0, "")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_operations_are_listed_by_google_s_names() -> None:
    found: Any = operations()

    assert {"objects.insert (multipart)", "objects.rewrite", "notifications.insert", "batch", "XML: PUT part"} <= set(found)
