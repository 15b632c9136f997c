"""Uploads in one request: checksums, multipart bodies of every client, gzip on the way, bodies that end too early."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.local.storage.test_storage_restart import ROOT
from tests.local.storage.test_storage_semantics import answers
from tests.local.storage.world import World, free_port, send_part, wait_until

MEGABYTE = 1 << 20


def test_wrong_checksums_store_nothing(world: World, bucket: str) -> None:
    files = world.content_files()

    wrong_crc = world.upload(bucket, "x", b"hello", **{"x-goog-hash": "crc32c=AAAAAA=="})
    wrong_md5 = world.upload(bucket, "x", b"hello", **{"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})

    assert (wrong_crc.status_code, wrong_md5.status_code) == (400, 400)
    assert world.names(bucket) == []
    assert world.content_files() == files


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", ["'==B=='", '"==B=="', "==B=="])
def test_multipart_uploads_of_every_client_are_read(world: World, bucket: str, newline: str, quoted: str) -> None:
    data = b"\r\n--==\r\n\n--==B\r" + bytes(range(256)) * 300 + b"\r"
    body = _multipart(newline, {"name": "x", "crc32c": ""}, data)
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=multipart"

    reply = world.http.post(url, data=body, headers={"Content-Type": f"multipart/related; boundary={quoted}"})

    assert reply.json()["contentType"] == "text/x-part"
    assert world.http.get(world.object_url(bucket, "x", "?alt=media")).content == data


def test_a_truncated_multipart_upload_stores_nothing(world: World, bucket: str) -> None:
    body = _multipart("\r\n", {"name": "x"}, b"hello")[:-7]
    url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=multipart"

    reply = world.http.post(url, data=body, headers={"Content-Type": "multipart/related; boundary===B=="})

    assert reply.status_code == 400
    assert world.names(bucket) == []


def test_a_client_that_hangs_up_leaves_nothing_behind(world: World, bucket: str) -> None:
    files = world.content_files()

    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x"
    send_part(world.port, "POST", path, {"Content-Length": "1000"}, b"only this")
    send_part(world.port, "PUT", f"/{bucket}/x", {"Content-Length": "1000"}, b"only this")
    send_part(world.port, "PUT", f"/{bucket}/x", {"Transfer-Encoding": "chunked"}, b"4\r\nonly\r\n")

    wait_until(lambda: world.content_files() == files)
    assert world.names(bucket) == []


def test_gzip_on_the_way_is_undone_but_a_stored_encoding_is_kept(world: World, bucket: str) -> None:
    packed = gzip.compress(b"hello" * 1000)
    sent = world.upload(bucket, "sent", packed, **{"Content-Encoding": "gzip"}).json()
    world.upload(bucket, "kept", packed, "&contentEncoding=gzip")
    url = world.object_url(bucket, "kept", "?alt=media")

    plain = world.http.get(url, headers={"Accept-Encoding": "identity"})
    raw = world.http.get(url, headers={"Accept-Encoding": "gzip"}, stream=True).raw.read(decode_content=False)

    assert sent["size"] == "5000"
    assert plain.content == b"hello" * 1000
    assert raw == packed


def _multipart(newline: str, metadata: dict[str, str], data: bytes) -> bytes:
    head = [
        "--==B==",
        "Content-Type: application/json",
        "",
        json.dumps(metadata),
        "--==B==",
        "Content-Type: text/x-part",
        "",
        "",
    ]
    return newline.join(head).encode() + data + f"{newline}--==B==--{newline}".encode()


def test_a_large_upload_needs_no_memory(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "tests.local.storage.serve", str(tmp_path), str(port)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        base = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(port))
        requests.post(f"{base}/storage/v1/b", json={"name": "bucket"}, timeout=5)
        requests.put(f"{base}/bucket/warm", data=bytes(MEGABYTE), timeout=5)
        before = peak_bytes(process.pid)
        up = requests.put(f"{base}/bucket/big", data=(bytes(MEGABYTE) for _ in range(100)), timeout=60)
        with requests.get(f"{base}/bucket/big", stream=True, timeout=60) as reply:
            down = sum(len(chunk) for chunk in reply.iter_content(MEGABYTE))
        grown = peak_bytes(process.pid) - before
        process.kill()

    assert (up.status_code, down) == (200, 100 * MEGABYTE)
    assert grown <= 20 * MEGABYTE


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
