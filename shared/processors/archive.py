"""Archives: the processors and their limits. The work is in `archives/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors.archive_options import Extract, List
from shared.processors.registry import Draft, processor


def _prepare() -> None:
    import mimetypes

    mimetypes.init()  # it looks for files of the system
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


@processor(
    "archive.extract",
    version=1,
    options=Extract,
    outputs=lambda _options: ("members.json",),
    limits=Limits(memory_bytes=512 << 20, seconds=240, output_bytes=64 << 20),
    prepare=_prepare,
    extracts=True,
)
def extract(source: Path, folder: Path, options: Extract) -> Iterator[Draft | Mapping[str, Any]]:
    """A batch of the files in an archive, each named by its number; facts, with members that stay packed.

    The fact `next` is the first member of the next batch, or 0. `shared.extraction` calls it for each batch, and uploads the files.
    """
    from shared.processors import archives

    bounds = archives.Bounds(source.stat().st_size, options.max_members, options.max_unpacked_bytes, options.max_ratio)
    yield from archives.batch(archives.opened(source, bounds), folder, options)
