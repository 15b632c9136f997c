"""Digests: of any bytes, and the same that everybody else computes."""

import base64
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import google_crc32c
import pytest

from shared import processors
from shared.processors.any import BLOCK_BYTES
from tests.conftest import DATA


def digest(source: Path) -> dict[str, Any]:
    (draft,) = processors.find("any.digest").run(source, source.parent, {})
    written: dict[str, Any] = json.loads(draft.path.read_text())
    assert (draft.name, draft.content_type, draft.facts) == ("digest.json", "application/json", written)
    return written


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES])
def test_digests_are_those_of_the_whole_file(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    source = tmp_path / "source"
    source.write_bytes(data)

    facts = digest(source)

    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    assert facts["crc32c"] == base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
    assert facts["size"] == size


def test_the_content_type_is_what_the_bytes_show(tmp_path: Path) -> None:
    source = tmp_path / "song.mp3"
    source.write_bytes((DATA / "photo.jpg").read_bytes())

    assert digest(source)["content_type"] == "image/jpeg"


def test_the_content_type_of_a_long_file_is_what_its_beginning_shows(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes((DATA / "photo.jpg").read_bytes() + b"text " * BLOCK_BYTES)

    assert digest(source)["content_type"] == "image/jpeg"


def test_an_empty_file_has_digests_too(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.touch()

    facts = digest(source)

    assert facts["sha256"].startswith("e3b0c44298fc1c14")
    assert facts["content_type"] == "application/octet-stream"
