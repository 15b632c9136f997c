"""Archives: the processors and their limits. The work is in `archives/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors.archive_options import List
from shared.processors.registry import processor


def _prepare() -> None:
    from shared.processors import archives  # noqa: F401


@processor(
    "archive.list",
    version=1,
    options=List,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=512 << 20, seconds=120, output_bytes=1 << 20),
    prepare=_prepare,
)
def list_members(source: Path, _folder: Path, options: List) -> Iterator[Mapping[str, Any]]:
    """The format and the comment of an archive, the number of its members and their bytes, and the first members."""
    # Imported with the first archive: a service that only plans tasks never needs these libraries.
    from shared.processors import archives

    bounds = archives.Bounds(source.stat().st_size, options.max_members, options.max_unpacked_bytes, options.max_ratio)
    yield archives.listing(archives.opened(source, bounds), options.listed)
