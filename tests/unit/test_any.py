"""Digests: the same as other tools compute, of any bytes."""

import base64
import gzip
import hashlib
import random
from collections.abc import Mapping
from typing import Any

import google_crc32c
import pytest

from shared import pipeline
from shared.model import File
from shared.processors.any import BLOCK_BYTES
from shared.routes import parse
from shared.testing import FakeCloud, run_processor
from tests.unit.pipeline.calls import Uploaded, manifests, message, only_task


def digest(data: bytes) -> Mapping[str, Any]:
    return run_processor("any.digest", data).facts


def test_a_digest_is_facts_and_no_output() -> None:
    outcome = run_processor("any.digest", b"x")

    assert outcome.outputs == []
    assert set(outcome.facts) == {"sha256", "crc32c", "size", "content_type"}


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES])
def test_digests_are_those_of_the_whole_file(size: int) -> None:
    data = random.Random(size).randbytes(size)
    facts = digest(data)

    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    assert facts["crc32c"] == base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
    assert facts["size"] == size


def test_the_content_type_is_the_one_that_the_bytes_show(photo: bytes) -> None:
    assert digest(photo)["content_type"] == "image/jpeg"


def test_the_beginning_of_a_long_file_decides_its_content_type(photo: bytes) -> None:
    assert digest(photo + b"text " * BLOCK_BYTES)["content_type"] == "image/jpeg"


def test_an_empty_file_has_digests_too() -> None:
    facts = digest(b"")

    assert facts["sha256"].startswith("e3b0c44298fc1c14")
    assert facts["content_type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"a,b\n1,2\n", "text/csv"),
        (b'{"a": 1}', "application/json"),
        (b"<html></html>", "text/html"),
        (b"PAR1\0", "application/vnd.apache.parquet"),
    ],
)
def test_a_text_or_table_has_its_kind(data: bytes, content_type: str) -> None:
    assert digest(data)["content_type"] == content_type


DIGEST = """
[queues.files]
max_dispatches_per_second = 1
max_concurrent_dispatches = 1
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 1

[steps.digest]
processor = "any.digest"
queue = "files"

[[routes]]
content_type = "*/*"
name = "**"
steps = ["digest"]
"""


def stored(cloud: FakeCloud, file: File) -> Mapping[str, Any]:
    """The facts of a file by the way of all files."""
    cloud.routes = parse(DIGEST)
    pipeline.dispatch(message(file), cloud)
    pipeline.process(only_task(cloud), 1, cloud)
    (manifest,) = manifests(cloud)
    facts: Mapping[str, Any] = manifest["steps"][0]["facts"]
    return facts


def test_a_file_that_is_stored_packed_has_its_own_digests_and_says_so(cloud: FakeCloud, uploaded: Uploaded) -> None:
    cloud.uploads.encodings["a.txt"] = "x-gzip"

    facts = stored(cloud, uploaded("a.txt", gzip.compress(b"abc"), "text/plain"))

    assert facts == {
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "crc32c": "Nks/tw==",
        "size": 3,
        "content_type": "text/plain",
        "content_encoding": "gzip",
    }


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_file_that_is_stored_as_it_is_has_no_encoding(cloud: FakeCloud, uploaded: Uploaded, encoding: str) -> None:
    cloud.uploads.encodings["a.gz"] = encoding

    facts = stored(cloud, uploaded("a.gz", gzip.compress(b"abc"), "application/gzip"))

    assert facts["content_type"] == "application/gzip"
    assert "content_encoding" not in facts
