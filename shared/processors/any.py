"""Facts about any file: digests, size, and the content type that its bytes show."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from shared import media
from shared.processors.registry import Draft, processor

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a processor that has none."""


@processor("any.digest", version=1, options=NoOptions)
def digest(source: Path, folder: Path, _options: NoOptions) -> Iterator[Draft]:
    """Write `digest.json`: sha256 (hex), crc32c (base64), size in bytes, and the content type that the bytes show."""
    sha256, crc32c, size, head = hashlib.sha256(), google_crc32c.Checksum(), 0, b""
    with source.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            head = head or block[: media.HEAD_BYTES]
            sha256.update(block)
            crc32c.update(block)
            size += len(block)
    facts = {
        "sha256": sha256.hexdigest(),
        "crc32c": base64.b64encode(crc32c.digest()).decode(),
        "size": size,
        "content_type": media.sniff(head),
    }
    path = folder / "digest.json"
    path.write_text(json.dumps(facts, indent=1) + "\n")
    yield Draft("digest.json", "application/json", path, facts)
