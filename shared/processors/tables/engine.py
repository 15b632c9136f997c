"""DuckDB, locked: it reads one file and writes into one folder, loads no extension, and has a limit of memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from shared.errors import BadFile

#: Half of a step's memory: its readers hold buffers that DuckDB does not count.
MEMORY_LIMIT = "512MB"
MOST_THREADS = 4
#: Faults of our own queries; every other one that DuckDB reports is the file's.
_OURS = (duckdb.CatalogException, duckdb.ParserException, duckdb.PermissionException)


def connect(source: Path, folder: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory, without a temporary folder."""
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": threads,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET allowed_paths = [{literal(str(source))}]")
    connection.execute(f"SET allowed_directories = [{literal(str(folder))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def refusals(kind: str) -> Iterator[None]:
    """Turn DuckDB's faults into refusals of the file. Its own words stay inside: they quote the file and our query."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise MemoryError from None
    except _OURS:
        raise
    except duckdb.NotImplementedException:
        raise BadFile(f"the {kind} uses a part of its format that is not read; save it anew", "unsupported") from None
    except duckdb.Error as error:
        if "File too large" in str(error) or "No space left" in str(error):
            raise OSError(27, "File too large") from None
        raise BadFile(f"the {kind} is damaged and cannot be read", "corrupt") from None


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query. Rejected rows are in their table only after the last one was fetched."""
    return connection.execute(sql).fetchall()


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'
