"""Malformed requests are answered, and never with a 5xx."""

import http.client
import random

from tests.localcloud.storage.world import World

STARTS = ["/storage/v1/b", "/storage/v1/b/{}", "/storage/v1/b/{}/o", "/storage/v1/b/{}/o/x", "/upload/storage/v1/b/{}/o"]
STARTS += ["/download/storage/v1/b/{}/o/x", "/batch/storage/v1", "", "/{}", "/{}/x"]
SEGMENTS = [
    "",
    ".",
    "..",
    "%ff",
    "%00",
    "%2F",
    "%",
    "%zz",
    "a%0ab",
    "compose",
    "rewriteTo",
    "b",
    "iam",
    "notificationConfigs",
    "1",
]
QUERIES = [
    "uploadType=media",
    "uploadType=multipart",
    "uploadType=resumable",
    "name=y",
    "name=%ff",
    "name=",
    "alt=&&=",
    "alt=media",
]
QUERIES += [
    "generation=-1",
    "generation=9",
    "ifGenerationMatch=",
    "upload_id=x",
    "maxResults=-1",
    "pageToken=WzEsMl0=",
    "prefix=%00",
]
QUERIES += [
    "pageToken=WyJcdWQ4MDAiLDFd",
    "matchGlob={",
    "matchGlob=[",
    "X-Goog-Signature=00",
    "X-Goog-Date=1",
    "X-Goog-Expires=1",
]
QUERIES += ["X-Goog-Algorithm=GOOG4-RSA-SHA256", "X-Goog-Credential=a/b/c", "X-Goog-SignedHeaders=host"]
HEADERS = [("Range", "bytes=99999999999999999999-"), ("Content-Range", "bytes 5-1/2"), ("Content-Range", "bytes */0")]
HEADERS += [("Content-Type", "multipart/related; boundary=x"), ("Content-Type", "multipart/mixed; boundary=")]
HEADERS += [("Content-Encoding", "gzip"), ("x-goog-hash", "crc32c=,md5"), ("x-goog-resumable", "start"), ("Origin", "null")]
HEADERS += [("x-goog-content-length-range", "5,1"), ("x-goog-if-generation-match", "x"), ("X-Upload-Content-Length", "x")]
BODIES = [b"", b"{", b"[]", b'{"name": 1}', b'{"metadata": {"a": null}}', b'{"sourceObjects": [1]}', b"\x1f\x8bgarbage"]
BODIES += [
    b'{"sourceObjects": [{"name": "x", "generation": []}], "destination": 3}',
    b'{"name": "\\ud800"}',
    b'{"bindings": {}}',
]
BODIES += [b"--x\r\n\r\n{}\r\n--x\r\n\r\nabc\r\n--x--", b"--x\nGET / HTTP/1.1\n\n--x--", b'{"cors": [{"origin": 1}]}']
BODIES += [
    b'{"cors": {}}',
    b'{"versioning": 1}',
    b'{"labels": []}',
    b'{"hierarchicalNamespace": 1}',
    b'{"contentType": "\\ud800"}',
]
BODIES += [
    b'{"topic": "projects/p/topics/t", "event_types": [[]], "custom_attributes": {"a": []}}',
    b'{"iamConfiguration": {"a": 1}}',
]
METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "OPTIONS", "ODD"]


def test_no_request_is_answered_with_a_server_error(world: World, bucket: str) -> None:
    chance = random.Random(1)
    world.upload(bucket, "x", b"1", "&contentEncoding=gzip")
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=60)
    failed = []
    for _ in range(1500):
        path = chance.choice(STARTS).format(bucket) + "".join(
            f"/{chance.choice(SEGMENTS)}" for _ in range(chance.choice([0, 0, 1, 2]))
        )
        target = f"{path or '/'}?{'&'.join(chance.sample(QUERIES, chance.randint(0, 4)))}"
        method, headers = chance.choice(METHODS), dict(chance.sample(HEADERS, chance.randint(0, 3)))
        connection.request(method, target, chance.choice(BODIES), headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status >= 500:
            failed.append((method, target, headers, reply.status))
    connection.close()

    assert failed == []
