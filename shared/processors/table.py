"""Profiles and conversions of tables: the processors and their limits. The work is in `tables/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors.registry import Draft, processor
from shared.processors.table_options import Convert, Profile


def _prepare() -> None:
    # Without a connection: one starts threads, and a fork has none of them.
    import duckdb  # noqa: F401
    import python_calamine  # noqa: F401

    from shared.processors import tables  # noqa: F401


@processor(
    "table.profile",
    version=1,
    options=Profile,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=1 << 30, seconds=300, output_bytes=160 << 20),
    prepare=_prepare,
)
def profile(source: Path, folder: Path, options: Profile) -> Iterator[Mapping[str, Any]]:
    """Rows, columns with their types and extremes, the first rows, and the rows that could not be read."""
    # Imported with the first table: a service that only plans tasks never needs these libraries.
    from shared.processors import tables

    yield tables.profile(source, folder, options)


@processor(
    "table.convert",
    version=1,
    options=Convert,
    outputs=lambda options: (f"*.{options.format}",),
    limits=Limits(memory_bytes=1 << 30, seconds=300, output_bytes=512 << 20),
    prepare=_prepare,
)
def convert(source: Path, folder: Path, options: Convert) -> Iterator[Draft | Mapping[str, Any]]:
    """Write `table.parquet` or `table.csv`; of a workbook one file for each sheet with cells, named after it."""
    from shared.processors import tables

    yield from tables.convert(source, folder, options)
