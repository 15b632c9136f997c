"""An output out of an answer: its bytes, and its content type."""

from collections.abc import Iterable
from pathlib import Path

from shared import media
from shared.outside.reach import Reach

PLAIN = "application/octet-stream"


def written(blocks: Iterable[bytes], path: Path, most_bytes: int, reach: Reach) -> int:
    """Write the blocks into a new file; their bytes together. Raises `BadFile` beyond `most_bytes`."""
    size = 0
    with path.open("xb") as file:
        for block in blocks:
            size += len(block)
            if size > most_bytes:
                raise reach.exceeded("limit_output")
            file.write(block)
    return size


def stated(content_type: str) -> str:
    """The content type that the service states, where that is one."""
    return content_type if media.is_valid(content_type) else PLAIN
