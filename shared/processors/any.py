"""Facts about any file: digests, size, and the content type that its bytes show."""

import base64
import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared import media
from shared.model import Limits
from shared.processors import any_scan  # noqa: F401  (registers `any.scan`)
from shared.processors.registry import NoOptions, processor, registered

BLOCK_BYTES = 1 << 20


def _prepare() -> None:
    """Digest a file: libraries set up tables on first use."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        source.write_bytes(b"text")
        registered["any.digest"].run(source, Path(name), {})


@processor(
    "any.digest",
    version=3,
    options=NoOptions,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=64 << 20, seconds=120, output_bytes=1 << 20),
    prepare=_prepare,
    describes_storage=True,
)
def digest(source: Path, _folder: Path, _options: NoOptions) -> Iterator[Mapping[str, Any]]:
    """The facts `sha256` (hex), `crc32c` (base64), `size` in bytes, and `content_type`, which the bytes show.

    They are those of the file. An object with a Content-Encoding has other bytes; then the delivery adds `content_encoding`.
    """
    import google_crc32c  # here, so that pipeline.toml can be checked with the standard library alone

    sha256, crc32c, size, head = hashlib.sha256(), google_crc32c.Checksum(), 0, b""
    with source.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            head = head or block[: media.HEAD_BYTES]
            sha256.update(block)
            crc32c.update(block)
            size += len(block)
    yield {
        "sha256": sha256.hexdigest(),
        "crc32c": base64.b64encode(crc32c.digest()).decode(),
        "size": size,
        "content_type": media.sniff(head),
    }
