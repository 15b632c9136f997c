"""Digests: the same as other tools compute, of any bytes."""

import base64
import hashlib
import random
from collections.abc import Mapping
from typing import Any

import google_crc32c
import pytest

from shared.processors.any import BLOCK_BYTES
from shared.testing import run_processor


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
